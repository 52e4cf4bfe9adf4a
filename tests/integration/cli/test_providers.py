"""``darkroom providers``: who serves what, and whether those configured here answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from fakes.cog import FakeCog
from fakes.comfyui import FakeComfyUI
from fakes.forge import FakeForge
from fakes.kie import KEY as KIE_KEY
from fakes.kie import FakeKie
from fakes.openai import KEY as OPENAI_KEY
from fakes.openai import FakeOpenAI
from fakes.replicate import TOKEN, FakeReplicate
from fakes.serving import Fake, served
from integration.cli.conftest import Shell
from servers import eventually


@dataclass(frozen=True)
class Vendor:
    """A provider, the fake of its service, and the settings that lead there."""

    name: str
    fake: Callable[[], Fake]
    settings: Callable[[str], Mapping[str, str]]
    says: str


VENDORS = [
    Vendor("forge", FakeForge, lambda url: {"FORGE_URL": url}, "answers; checkpoints: "),
    Vendor("comfyui", FakeComfyUI, lambda url: {"COMFYUI_URL": url}, "answers; ComfyUI 0.3.64"),
    Vendor("cog", FakeCog, lambda url: {"COG_URL": url}, "is ready; the model takes "),
    Vendor(
        "kie",
        FakeKie,
        lambda url: {"KIE_URL": url, "KIE_API_KEY": KIE_KEY},
        "answers; 100 credits are left",
    ),
    Vendor(
        "openai",
        FakeOpenAI,
        lambda url: {"OPENAI_URL": f"{url}/v1", "OPENAI_API_KEY": OPENAI_KEY},
        "answers, and takes the key",
    ),
    Vendor(
        "replicate",
        FakeReplicate,
        lambda url: {"REPLICATE_URL": url, "REPLICATE_API_TOKEN": TOKEN},
        "answers, and takes the token of acme",
    ),
]
WITH_A_KEY = [vendor for vendor in VENDORS if vendor.name in ("kie", "openai", "replicate")]


async def test_each_provider_is_listed_with_what_it_serves_and_how_well(darkroom: Shell) -> None:
    async def told() -> list[dict[str, object]] | None:
        ran = await darkroom("providers", "list", "--json")
        return ran.json if ran.exit_code == 0 and ran.json else None

    rows = await eventually(told, 60)
    table = await darkroom("providers", "list")

    [create] = [row for row in rows if row["type"] == "CREATE"]
    assert create["name"] == "STUDIO"
    assert create["execution"] == "local"
    assert create["breaker"] == {"state": "closed", "failures": 0, "until": None}
    assert "params_schema" not in create
    for word in ("CREATE", "STUDIO", "closed", "p95"):
        assert word in table.stdout


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
async def test_a_configured_service_is_asked_whether_it_is_there(
    vendor: Vendor, bare: Shell
) -> None:
    fake = vendor.fake()
    async with served(fake.app()) as url:
        ran = await bare.having(**vendor.settings(url))("providers", "check", vendor.name, "--json")

    [found] = ran.json
    assert (ran.exit_code, found["ok"]) == (0, True)
    assert found["detail"].startswith(vendor.says)


@pytest.mark.parametrize("vendor", WITH_A_KEY, ids=lambda vendor: vendor.name)
async def test_a_wrong_key_is_found_and_not_shown(vendor: Vendor, bare: Shell) -> None:
    async with served(vendor.fake().app()) as url:
        settings = {
            name: "hunter2" if name.endswith(("KEY", "TOKEN")) else value
            for name, value in vendor.settings(url).items()
        }
        ran = await bare.having(**settings)("providers", "check", vendor.name)

    assert ran.exit_code == 1
    assert f"✗ {vendor.name}" in ran.stdout
    assert "does not accept the account of this deployment (401)" in ran.stdout
    assert "hunter2" not in ran.stdout + ran.stderr


async def test_what_is_not_configured_is_told_with_what_to_set(bare: Shell) -> None:
    everybody = await bare("providers", "check", "--json")
    one = await bare("providers", "check", "kie")

    by_name = {each["name"]: each for each in everybody.json}
    assert everybody.exit_code == 0
    assert by_name["studio"]["ok"] is True
    assert by_name["kie"]["ok"] is None
    assert by_name["kie"]["mend"].startswith("Set DARKROOM_KIE_API_KEY")
    assert one.exit_code == 1
    assert "Set DARKROOM_KIE_API_KEY" in one.stdout


async def test_what_is_wrong_with_one_is_told_and_the_others_are_asked(bare: Shell) -> None:
    async with served(FakeKie().app()) as url:
        ran = await bare.having(
            FORGE_URL="http://127.0.0.1:1",
            COMFYUI_URL=url,
            COG_URL="not an address",
            FAL_KEY="id:secret",
            EXTRA_PROVIDERS="nowhere:Model",
        )("providers", "check", "--json")

    by_name = {each["name"]: each for each in ran.json}
    assert ran.exit_code == 1
    assert "can't be reached" in by_name["forge"]["detail"]
    assert by_name["comfyui"]["ok"] is False
    assert by_name["cog"]["ok"] is False
    assert by_name["fal"] == {
        "name": "fal",
        "ok": None,
        "detail": "is configured; nothing can be asked of it that costs nothing",
        "mend": "",
    }
    assert by_name["nowhere:Model"]["detail"].startswith("can't be loaded: ModuleNotFoundError")
    assert by_name["studio"]["ok"] is True


async def test_a_provider_that_is_not_there_is_wrong_usage(bare: Shell) -> None:
    ran = await bare("providers", "check", "nobody")

    assert ran.exit_code == 2
    assert "There is no provider nobody here" in ran.stderr
    assert "studio" in ran.stderr
