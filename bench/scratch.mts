import { burst } from './burst/burst.ts';
process.exit((await burst({ videos: Number(process.argv[2]) })) ? 0 : 1);
