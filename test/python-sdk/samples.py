"""What the reference shows of the SDK for Python, against firstframe: nothing but the base URL and the key differs."""

import base64
import mimetypes
import os
import sys
from http import HTTPStatus

import dashscope
import requests
from dashscope import VideoSynthesis

dashscope.base_http_api_url = os.environ["BASE_URL"]
api_key = os.environ["DASHSCOPE_API_KEY"]
image_url = os.environ["IMAGE_URL"]
image_file = os.environ["IMAGE_FILE"]
audio_url = os.environ["AUDIO_URL"]
audio_file = os.environ["AUDIO_FILE"]

MODEL = "wan2.5-i2v-preview"
PROMPT = "A painted figure comes to life and sings."


def encoded(path):
    kind, _ = mimetypes.guess_type(path)
    with open(path, "rb") as file:
        return f"data:{kind};base64,{base64.b64encode(file.read()).decode('utf-8')}"


def request(**more):
    return {
        "api_key": api_key,
        "model": MODEL,
        "prompt": PROMPT,
        "img_url": image_url,
        "resolution": "480P",
        "duration": 5,
        "prompt_extend": True,
        "watermark": False,
        "negative_prompt": "",
        "seed": 12345,
        **more,
    }


def check(answer):
    """The answer, if it is one of a call that went well."""
    assert answer.status_code == HTTPStatus.OK, answer
    assert answer.request_id, answer
    return answer


def check_video(answer):
    output = check(answer).output
    assert output.task_status == "SUCCEEDED", answer
    assert output.orig_prompt == PROMPT, answer
    assert output.submit_time <= output.scheduled_time <= output.end_time, answer
    assert answer.usage["duration"] == 5 and answer.usage["SR"] == 480 and answer.usage["video_count"] == 1, answer
    video = requests.get(output.video_url, timeout=60)
    assert video.status_code == 200 and video.content[4:8] == b"ftyp", video.status_code


def a_synchronous_call_with_a_url_and_audio():
    check_video(VideoSynthesis.call(**request(audio_url=audio_url)))


def a_synchronous_call_with_base64():
    check_video(VideoSynthesis.call(**request(img_url=encoded(image_file))))


def a_synchronous_call_with_an_absolute_path():
    check_video(VideoSynthesis.call(**request(img_url="file://" + image_file)))


def a_synchronous_call_with_a_relative_path_and_audio():
    os.chdir(os.path.dirname(image_file))
    image, audio = ("file://./" + os.path.basename(path) for path in (image_file, audio_file))
    check_video(VideoSynthesis.call(**request(img_url=image, audio_url=audio)))


def an_asynchronous_call():
    created = check(VideoSynthesis.async_call(**request()))
    assert created.output.task_status == "PENDING", created
    asked = check(VideoSynthesis.fetch(task=created, api_key=api_key))
    assert asked.output.task_id == created.output.task_id, asked
    assert asked.output.task_status in ("PENDING", "RUNNING"), asked
    check_video(VideoSynthesis.wait(task=created, api_key=api_key))
    # By its id alone, as a later program would.
    check_video(VideoSynthesis.fetch(created.output.task_id, api_key=api_key))


def a_list():
    created = check(VideoSynthesis.async_call(**request()))
    check(VideoSynthesis.wait(task=created, api_key=api_key))
    listed = check(VideoSynthesis.list(api_key=api_key, model_name=MODEL, status="SUCCEEDED", page_size=100)).output
    assert created.output.task_id in [row["task_id"] for row in listed["data"]], listed
    assert listed["total"] >= 1 and listed["page_no"] == 1 and listed["page_size"] == 100, listed
    assert all(row["model_name"] == MODEL and row["status"] == "SUCCEEDED" for row in listed["data"]), listed
    nothing = check(VideoSynthesis.list(api_key=api_key, start_time="20200101000000", end_time="20200102000000")).output
    assert nothing["data"] == [] and nothing["total"] == 0, nothing


def a_cancelation():
    created = check(VideoSynthesis.async_call(**request(prompt="[[pending=600]]")))
    check(VideoSynthesis.cancel(task=created, api_key=api_key))
    ended = check(VideoSynthesis.wait(task=created, api_key=api_key))
    assert ended.output.task_status == "CANCELED", ended
    again = VideoSynthesis.cancel(task=created, api_key=api_key)
    assert (again.status_code, again.code) == (400, "UnsupportedOperation"), again
    assert again.message == "Failed to cancel the task, please confirm if the task is in PENDING status.", again


def a_task_that_failed():
    failed = check(VideoSynthesis.call(**request(prompt="[[fail=DataInspectionFailed]]")))
    assert failed.output.task_status == "FAILED", failed
    assert failed.output["code"] == "DataInspectionFailed" and failed.output["message"], failed


def a_task_that_never_was():
    unknown = check(VideoSynthesis.fetch("86ecf553-d340-4e21-xxxxxxxxx", api_key=api_key))
    assert unknown.output.task_status == "UNKNOWN", unknown


def errors():
    refused = VideoSynthesis.async_call(**request(model="wan9-i2v"))
    assert (refused.status_code, refused.code) == (404, "ModelNotFound") and refused.request_id, refused
    refused = VideoSynthesis.async_call(**request(img_url="http://10.0.0.1/cat.png"))
    assert (refused.status_code, refused.code) == (400, "InvalidParameter"), refused
    assert refused.message.startswith("url error, please check url！"), refused
    refused = VideoSynthesis.async_call(**request(api_key="sk-unknown"))
    assert (refused.status_code, refused.code) == (401, "unauthorized") and refused.message, refused


def a_file_that_is_no_image():
    try:
        VideoSynthesis.async_call(**request(img_url="file://" + os.path.abspath(__file__)))
    except Exception as error:
        assert "The file is a text" in str(error), error
    else:
        raise AssertionError("it was taken")


SAMPLES = [
    a_synchronous_call_with_a_url_and_audio,
    a_synchronous_call_with_base64,
    a_synchronous_call_with_an_absolute_path,
    a_synchronous_call_with_a_relative_path_and_audio,
    an_asynchronous_call,
    a_list,
    a_cancelation,
    a_task_that_failed,
    a_task_that_never_was,
    errors,
    a_file_that_is_no_image,
]

failures = 0
for sample in SAMPLES:
    name = sample.__name__.replace("_", " ")
    try:
        sample()
        print(f"ok      {name}", flush=True)
    except Exception as error:
        failures += 1
        print(f"FAILED  {name}: {type(error).__name__}: {error}", flush=True)
print(f"dashscope {dashscope.version.__version__}: {len(SAMPLES) - failures} passed, {failures} failed", flush=True)
sys.exit(1 if failures else 0)
