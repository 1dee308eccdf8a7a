export { type VideoView, viewOf } from '../video/view.ts';
