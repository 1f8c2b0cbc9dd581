"""Who takes photos apart: what is asked of an engine, and what its workers are told and tell."""

from __future__ import annotations

import os
import sys
import threading
import types
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from decomposing import go, photo

from intrinsic_cli.api import IidError, UsageError, WeightsError
from intrinsic_cli.cli import iid
from intrinsic_cli.requests import InputReport
from intrinsic_cli.runs.decompose import engines, ray_engine
from intrinsic_cli.runs.decompose.out_folder import OutputLostError
from intrinsic_cli.runs.decompose.ray_engine import Pool, choose_pool, size_of_task
from intrinsic_cli.runs.decompose.rows import (
    Answer,
    answer_row,
    as_asked,
    photo_row,
    read_answer_row,
    read_photo_row,
)
from intrinsic_cli.runs.decompose.targets import Target


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"engine": "spark"}, "there is no engine 'spark'"),
        ({"watch": True}, "--watch and --engine ray exclude each other"),
        ({"device": "cuda:1"}, "--engine ray cannot use the device cuda:1"),
        ({"device": "mps"}, "--engine ray cannot use the device mps"),
    ],
)
def test_what_an_engine_cannot_do_is_told_early(
    more: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=told):
        go(tmp_path, out=tmp_path / "out", **{"engine": "ray", **more})
    assert not (tmp_path / "out").exists()


def test_the_extra_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_NEEDED", ("a_module_that_nobody_has",))
    with pytest.raises(UsageError, match="needs the extra 'ray'") as caught:
        go(photo(tmp_path / "a.png"), out=tmp_path / "out", engine="ray")
    assert caught.value.hint == 'pip install "intrinsic-cli[ray]"'


def test_stdout_is_not_for_what_the_cluster_tells(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints when a worker has died, and keeps some of that until it is shut down."""
    died = threading.Event()

    def tell() -> None:
        died.wait(10)
        print("a worker died")

    listener = threading.Thread(target=tell, name="ray_listen")
    cluster = types.SimpleNamespace(
        is_initialized=lambda: False,
        init=lambda *_, **__: listener.start(),
        cluster_resources=dict,
        shutdown=lambda: print("and another one"),
    )
    monkeypatch.setitem(sys.modules, "ray", cluster)
    with ray_engine._cluster():
        died.set()
        listener.join()
        print("a result")
    assert capsys.readouterr().out == "a result\n"


def test_one_layer_on_stdout_needs_no_cluster(tmp_path: Path) -> None:
    words = ["decompose", str(photo(tmp_path / "a.png")), "-m", "retinex", "-o", "-"]
    done = CliRunner().invoke(iid, [*words, "--layers", "albedo", "--engine", "ray"])
    assert done.exit_code == 2
    assert "--engine ray" in done.output


ODD = "b\udcff \u00e9.png"  # a name that is no text


def test_workers_get_whole_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    target = Target(ODD, Path(ODD), Path("out/b"), Path("masks") / ODD)
    number, same = read_photo_row(photo_row(7, target))
    here = Path(os.path.abspath("."))  # noqa: PTH100
    assert number == 7
    assert same == Target(ODD, here / ODD, here / "out/b", here / "masks" / ODD)
    assert read_photo_row(photo_row(0, Target("-", None, Path("/out/stdin"))))[1].path is None


def test_reports_come_back_as_they_were_asked_for() -> None:
    report = InputReport(
        ODD,
        "done",
        {"albedo": "/mnt/out/b.albedo.png"},
        "/mnt/out/b.iid.json",
        1.5,
        outputs={"albedo": ["/mnt/out/b.albedo.png"]},
        written=("/mnt/out/b.albedo.png",),
        notes=("a note",),
    )
    answer = read_answer_row(answer_row(Answer(3, report, notes=["halved"])))
    assert answer == Answer(3, report, notes=["halved"])
    assert answer.report is not None
    here = as_asked(answer.report, Target(ODD, Path(ODD), Path("out/b")))
    assert here.layers == {"albedo": "out/b.albedo.png"}
    assert here.outputs == {"albedo": ["out/b.albedo.png"]}
    assert (here.sidecar, here.preview) == ("out/b.iid.json", "")
    assert here.written == ("out/b.albedo.png",)


@pytest.mark.parametrize("kind", [OutputLostError, WeightsError, UsageError, IidError])
def test_errors_that_end_a_run_keep_their_exit_code(kind: type[IidError]) -> None:
    error = read_answer_row(answer_row(Answer(error=kind("gone", "bring it back")))).error
    assert type(error) is kind
    assert (error.message, error.hint) == ("gone", "bring it back")


def test_there_is_one_worker_a_gpu() -> None:
    cluster = {"CPU": 64.0, "GPU": 4.0, "memory": 2e11}
    assert choose_pool("auto", cluster) == Pool(4, "cuda", {"num_gpus": 1})
    assert choose_pool("cuda", cluster).workers == 4
    assert choose_pool("cpu", cluster) == Pool(64, "cpu", {"num_cpus": 1})


def test_workers_on_the_cpu_fit_into_memory() -> None:
    assert choose_pool("auto", {"CPU": 2.0, "memory": 1.6e10}).workers == 2
    assert choose_pool("auto", {"CPU": 64.0, "memory": 1.6e10}).workers == 12
    assert choose_pool("auto", {"CPU": 2.0, "memory": 1e9}).workers == 1
    with pytest.raises(UsageError, match="has no GPU"):
        choose_pool("cuda", {"CPU": 2.0})


def test_a_worker_is_given_few_photos_at_a_time() -> None:
    on_cpu, on_gpu = Pool(2, "cpu", {}), Pool(1, "cuda", {})
    assert [size_of_task(count, on_cpu) for count in (1, 2000, 20_000, 10**6)] == [1, 1, 10, 32]
    assert [size_of_task(count, on_gpu) for count in (1, 10**6)] == [16, 32]
