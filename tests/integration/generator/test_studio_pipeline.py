"""A photo becomes a 3D model over the deaths of its workers, no step twice."""

from __future__ import annotations

import signal
from collections.abc import AsyncGenerator
from io import BytesIO

import trimesh
from PIL import Image, ImageDraw

from artifacts.keys import upload_key
from builders import OWNER, requested, task_id
from contracts.events import Progressed
from contracts.lifecycle import CompletedState, FailedState, Task
from delivery.publisher import NOTHING_YET
from generator.studio.orders import Made, Order
from generator.studio.pool import PixelPool
from generator.studio.provider import StudioProvider
from integration.generator.floor import PATIENCE_S, Floor, ended_with
from servers import eventually


class CountingPool(PixelPool):
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__(1)
        self.orders: list[str] = []

    async def render(self, order: Order) -> AsyncGenerator[int | Made, None]:
        self.orders.append(order.type)
        async for reply in super().render(order):
            yield reply


async def ask(floor: Floor, number: int, wish: dict[str, object]) -> str:
    photo = a_photo()
    key = upload_key(OWNER, "photo")
    await floor.store.put(key, photo, "image/png")
    task = task_id(number)
    event = requested(
        task=task,
        tasktype="PHOTO_TO_3D",
        lane="studio",
        prompt=None,
        reference_images=(key,),
        provider_params={"simulate": wish},
    )
    await floor.publisher.publish(event, expect=NOTHING_YET)
    return task


async def ended(floor: Floor, task: str) -> Task:
    async def end() -> Task | None:
        told = await floor.task(task)
        return told if told.status.is_terminal else None

    found: Task = await eventually(end, PATIENCE_S, f"{task} did not end")
    return found


def a_photo() -> bytes:
    photo = Image.new("RGB", (160, 120), (206, 208, 212))
    ImageDraw.Draw(photo).ellipse((45, 25, 115, 95), (196, 44, 40))
    file = BytesIO()
    photo.save(file, "PNG")
    return file.getvalue()


async def test_a_worker_that_takes_over_does_only_what_is_left(floor: Floor) -> None:
    dying = await floor.start_process(lease_s=1, providers="studio")
    task = await ask(floor, 1, {"crash": True})
    assert await ended_with(dying) == -signal.SIGKILL

    provider = StudioProvider(workers=1)
    counting = CountingPool()
    provider._pool = counting  # noqa: SLF001 - to count what it is asked for
    await floor.start([provider], lease_s=1)
    told = await ended(floor, task)

    assert counting.orders == ["MODEL"]
    assert (told.status, told.stage, told.attempt) == ("completed", "model_saved", 2)
    events = [event.data for event in await floor.events(task) if isinstance(event, Progressed)]
    stages = [each.stage for each in events if each.stage is not None]
    assert stages == ["bgr_removed", "job_created", "model_generated"]
    assert isinstance(told.state, CompletedState)
    (artifact,) = told.state.artifacts
    assert artifact.content_type == "model/gltf-binary"
    content = await floor.store.get(artifact.key)
    mesh = trimesh.load(BytesIO(content), file_type="glb", force="mesh", process=False)
    assert mesh.is_watertight


async def test_a_provoked_failure_ends_the_task_in_its_stage(floor: Floor) -> None:
    await floor.start([StudioProvider(workers=1)])
    failures = (
        "upload_failed",
        "bgr_removal_failed",
        "job_creation_failed",
        "model_generation_failed",
        "model_saving_failed",
    )
    tasks = [await ask(floor, n, {"fail_at": failure}) for n, failure in enumerate(failures)]

    ends = [await ended(floor, task) for task in tasks]

    assert [(end.status, end.stage) for end in ends] == [("failed", each) for each in failures]
    errors = [end.state.error for end in ends if isinstance(end.state, FailedState)]
    assert len({error.message for error in errors}) == len(failures)
    assert not any(error.retryable for error in errors)
