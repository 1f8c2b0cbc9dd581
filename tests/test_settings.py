"""Defaults < TOML < key=value, typed, with errors that name the key."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from intrinsic_cli.api import NoOptions, TrainConfig, UsageError, knob
from intrinsic_cli.settings import describe, read_toml, settle, to_toml


@dataclass(frozen=True, slots=True)
class Knobs:
    steps: int = knob(2, "how many", high=1 << 20)
    rate: float = knob(0.5, "how fast", low=0)
    mode: str = knob("flow", "which way", choices=("flow", "vae"))
    space: Literal["linear", "srgb"] = knob("linear", "which light")
    mirror: bool = knob(True, "turn around")
    limit: int | None = knob(None, "how far")
    sizes: tuple[int, ...] = knob((1, 2), "how large")
    pair: tuple[float, str] = knob((1.0, "a"), "two")
    crop: int = knob(64, "how wide", low=32, multiple=32)

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise ValueError(f"steps must not be negative, it is {self.steps}")


def test_defaults_toml_and_words_in_this_order() -> None:
    assert settle(Knobs, {}, ()) == Knobs()
    assert settle(Knobs, {"steps": 5, "rate": 1}, ["steps=7"]) == Knobs(steps=7, rate=1.0)
    assert settle(Knobs, {}, ["steps=7", "steps=8"]).steps == 8


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("steps=1e4", 10_000),
        ("steps = 1_000", 1000),
        ("rate=3", 3.0),
        ("rate=1e-4", 1e-4),
        ("mode=vae", "vae"),
        ("space=srgb", "srgb"),
        ("mirror=off", False),
        ("mirror=True", True),
        ("limit=none", None),
        ("limit=3", 3),
        ("sizes=3,4,5", (3, 4, 5)),
        ("sizes=(6,)", (6,)),
        ("pair=2,b", (2.0, "b")),
        ("crop=96", 96),
        ("crop=32", 32),
        ("rate=0", 0.0),
        ("steps=1048576", 1 << 20),
        ("mirror=1", True),
        ("mirror=No", False),
        ("sizes=", ()),
        ("limit=None", None),
    ],
)
def test_words_are_typed(word: str, value: Any) -> None:
    made = getattr(settle(Knobs, {}, [word]), word.partition("=")[0].strip())
    assert made == value
    assert type(made) is type(value)


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["stpes=2"], "no setting called 'stpes'", "did you mean 'steps'"),
        (["zzz=2"], "no setting called 'zzz'", "valid: steps, rate"),
        (["steps"], "'steps' does not say what to set to which value", "such as steps="),
        (["steps=two"], "steps cannot be 'two'", "it takes a whole number"),
        (["steps=1.5"], "steps cannot be '1.5'", "it takes a whole number"),
        (["rate=nan"], "rate cannot be 'nan'", "it takes a number"),
        (["mode=walk"], "mode cannot be walk", "valid: flow, vae"),
        (["space=gamma"], "space cannot be 'gamma'", "valid: linear, srgb"),
        (["mirror=perhaps"], "mirror cannot be 'perhaps'", "it takes yes or no"),
        (["pair=1"], "pair cannot be '1'", "it takes a number, text, with commas between"),
        (["rate=-0.1"], "rate must be at least 0, not -0.1", ""),
        (["steps=2e6"], "steps must be at most 1048576, not 2000000", ""),
        (["steps=-1"], "steps must not be negative", ""),
        (["crop=100"], "crop must be a multiple of 32, not 100", "try 96"),
        (["crop=40"], "crop must be a multiple of 32, not 40", "try 32"),
        (["limit=x"], "limit cannot be 'x'", "it takes a whole number or none"),
        (["sizes=1,x"], "sizes cannot be '1,x'", "it takes a whole number, as often as you"),
        (["rate=inf"], "rate cannot be 'inf'", "it takes a number"),
        (["steps=1e999"], "steps cannot be '1e999'", "it takes a whole number"),
        (["what"], "'what' does not say what to set to which value", "such as steps="),
        (["rate"], "'rate' does not say what to set to which value", "such as rate="),
        (["mirror=2"], "mirror cannot be '2'", "it takes yes or no"),
        (["pair=1,a,2"], "pair cannot be '1,a,2'", "it takes a number, text"),
    ],
)
def test_mistakes_are_named(words: list[str], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        settle(Knobs, {}, words)
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "toml", [{"steps": True}, {"steps": "2x"}, {"mode": 3}, {"sizes": 3}, {"rate": [1]}]
)
def test_toml_is_checked_too(toml: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        settle(Knobs, toml, ())


def test_a_method_without_settings_says_so() -> None:
    with pytest.raises(UsageError) as caught:
        settle(NoOptions, {}, ["steps=2"])
    assert "no settings" in caught.value.hint


@pytest.mark.parametrize(
    "made", [Knobs(), Knobs(limit=3, mode="vae", sizes=(), pair=(0.1, 'q"\\'), rate=1e-7)]
)
def test_toml_comes_back_equal(made: Knobs) -> None:
    assert settle(Knobs, tomllib.loads(to_toml(made)), ()) == made


def test_every_training_config_comes_back_equal() -> None:
    assert settle(TrainConfig, tomllib.loads(to_toml(TrainConfig())), ()) == TrainConfig()


def test_describe() -> None:
    told = {item.name: item for item in describe(Knobs)}
    assert told["mode"].choices == ("flow", "vae")
    assert told["space"].choices == ("linear", "srgb")
    assert (told["limit"].type, told["sizes"].type) == ("int|none", "int,…")
    assert (told["steps"].default, told["steps"].help) == (2, "how many")


def test_read_toml(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("steps = 3\n")
    assert read_toml(file) == {"steps": 3}
    file.write_text("a = " + "[" * 20_000)
    with pytest.raises(UsageError, match="not valid TOML"):
        read_toml(file)
    file.write_text("steps = = 3")
    with pytest.raises(UsageError, match="not valid TOML"):
        read_toml(file)
    with pytest.raises(UsageError, match="cannot read"):
        read_toml(tmp_path / "none.toml")
