"""Shards of rendered scenes of which a member is damaged: the tar and the member are named."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from intrinsic_cli.api import DataError
from intrinsic_cli.cli import iid
from intrinsic_cli.kit.data.synth.scenes import MINIATURE, open_synth
from intrinsic_cli.kit.data.synth.shards import Shards

#: Of a member's bytes what is left, None where it is gone.
Damage = Callable[[bytes], bytes | None]


def damaged(folder: Path, member: str, damage: Damage) -> str:
    """The packaged scenes, one member of the first of them damaged; the name of that member."""
    names: list[str] = []
    (folder / "val").mkdir(parents=True)
    source = MINIATURE / "val/val-mini.tar"
    with tarfile.open(source) as whole, tarfile.open(folder / "val/a.tar", "w") as broken:
        for info in whole:
            file = whole.extractfile(info)
            assert file is not None
            data: bytes | None = file.read()
            assert data is not None
            if not names and info.name.endswith(f".{member}"):
                names.append(info.name)
                data = damage(data)
            if data is not None:
                info.size = len(data)
                broken.addfile(info, io.BytesIO(data))
    return names[0]


def zeros(data: bytes) -> bytes:
    return bytes(len(data))


def without_count(data: bytes) -> bytes:
    meta = json.loads(data)
    del meta["n_shading"]
    return json.dumps(meta).encode()


@pytest.mark.parametrize(
    ("member", "damage", "told"),
    [
        ("albedo0.webp", zeros, "it is no picture"),
        ("normal.webp", lambda _: b"", "it is no picture"),
        ("ids.png", zeros, "it is no picture"),
        ("shading1.webp", lambda _: None, "it is missing"),
        ("meta.json", zeros, "it is no JSON"),
        ("meta.json", lambda _: b"\xff\xfe\xfd", "it is no JSON"),
        ("meta.json", lambda _: b"[]", "it is no table"),
        ("meta.json", without_count, "it does not tell n_shading"),
    ],
)
def test_a_damaged_member_is_named(member: str, damage: Damage, told: str, tmp_path: Path) -> None:
    name = damaged(tmp_path, member, damage)
    with pytest.raises(DataError, match=told) as caught:
        list(open_synth(tmp_path).cases("val"))
    assert f"{tmp_path / 'val/a.tar'} is damaged at {name}: " in caught.value.message
    assert caught.value.hint


def test_a_shard_that_was_cut_off_while_it_is_read(tmp_path: Path) -> None:
    damaged(tmp_path, "ids.png", lambda data: data)
    tar = tmp_path / "val/a.tar"
    shards = Shards(tmp_path / "val")
    tar.write_bytes(tar.read_bytes()[: tar.stat().st_size // 2])
    with pytest.raises(DataError, match="the shard ends before it does"):
        shards[len(shards) - 1]
    tar.unlink()
    with pytest.raises(DataError, match="no such file"):
        shards[0]


@pytest.mark.parametrize(
    ("words", "code"),
    [(("datasets", "check"), 4), (("evaluate", "-m", "retinex", "--device", "cpu", "--data"), 3)],
)
def test_commands_tell_it_in_a_sentence(words: tuple[str, ...], code: int, tmp_path: Path) -> None:
    name = damaged(tmp_path, "albedo0.webp", zeros)
    done = CliRunner().invoke(iid, [*words, f"synth:{tmp_path}"])
    assert done.exit_code == code
    assert f"a.tar is damaged at {name}" in done.stderr
    assert "unexpected" not in done.stderr
