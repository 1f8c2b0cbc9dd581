"""The program ffmpeg, which the extra ``video`` brings: started here, and nowhere else."""

from __future__ import annotations

import errno
import importlib
import subprocess
import tempfile
from collections.abc import Sequence
from typing import IO, Any

from intrinsic_cli.api import DataError, IidError
from intrinsic_cli.kit.files.formats import VIDEO

#: Words before an input that a stranger made: no network, no playlists that name other files.
_CONTAINERS = "mov,matroska,avi,mpeg,mpegts,mpegvideo,asf,flv,ogg,mxf,h264,hevc,m4v,dv,ivf"
INPUT = ("-protocol_whitelist", "file", "-format_whitelist", _CONTAINERS)
_ALWAYS = ("-hide_banner", "-nostdin", "-nostats", "-y", "-loglevel", "level+info")
#: Bytes of what it says that are read; a damaged video may make it say the same for ever.
_MOST = 1 << 20


def program() -> str:
    """Where ffmpeg is. DataError where the extra is missing, or has none for this machine."""
    try:
        library: Any = importlib.import_module(VIDEO.module)
    except ImportError as error:
        sentence = f"it is {VIDEO.name}, which needs the extra {VIDEO.extra!r}"
        raise DataError(sentence, VIDEO.hint) from error
    try:
        return str(library.get_ffmpeg_exe())
    except RuntimeError as error:
        hint = "install ffmpeg, or let IMAGEIO_FFMPEG_EXE say where it is"
        raise DataError("the extra 'video' has no ffmpeg for this machine", hint) from error


class Ffmpeg:
    """ffmpeg at work, with a pipe to or from it; a context that leaves no process behind.

    It does not hear the signals that Ctrl-C sends to a whole terminal: a video that seems to end
    early would be taken for a short one."""

    def __init__(self, words: Sequence[str], stdin: int | None = None, stdout: int | None = None):
        words = [program(), *_ALWAYS, *words]
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed at the end
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.DEVNULL if stdout is None else stdout,
            stderr=self._said,
            start_new_session=True,
        )

    def __enter__(self) -> Ffmpeg:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                _close(pipe)
        self._process.wait()
        self._said.close()

    @property
    def output(self) -> IO[bytes]:
        """What it writes."""
        assert self._process.stdout is not None  # it was asked for
        return self._process.stdout

    def feed(self, data: bytes | memoryview) -> None:
        """Give it bytes to read. OSError, IidError where it has given up."""
        assert self._process.stdin is not None  # it was asked for
        try:
            self._process.stdin.write(data)
        except BrokenPipeError as error:
            self._process.wait()
            raise self.failure() from error

    def end(self) -> int:
        """Wait until it is done; its exit status."""
        if self._process.stdin is not None:
            _close(self._process.stdin)
        return self._process.wait()

    def said(self) -> str:
        """Everything it has said so far."""
        self._said.seek(0)
        return self._said.read(_MOST).decode("utf-8", "replace")

    def errors(self) -> list[str]:
        """What it called errors, each a line."""
        lines = self.said().splitlines()
        bad = [line for line in lines if "[error] " in line or "[fatal] " in line]
        return [line.rpartition("] ")[2].strip() for line in bad]

    def failure(self) -> OSError | IidError:
        """Why it could not write."""
        text = " ".join(self.errors())
        if "No space left" in text:
            return OSError(errno.ENOSPC, "No space left on device")
        reason = next(iter(self.errors()), "it did not say why")
        return IidError(f"ffmpeg could not write the video: {reason}", "try --frames")


def _close(pipe: IO[bytes]) -> None:
    """What it has not read is lost, if it ended before."""
    try:
        pipe.close()
    except BrokenPipeError:
        return
