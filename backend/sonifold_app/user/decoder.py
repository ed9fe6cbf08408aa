"""The process that decodes what strangers send before the server does: ``python -m sonifold_app.user.decoder``.

It reads files from its standard input, each behind a line that says how long it is, decodes as much of each as the
server ever would, and writes a line when it has. What is wrong with a file is for the server to say, which decodes
it after this; what ends this process is not decoded there.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys

from sonifold_app.processes import end_with_parent

#: Of the memory that this process may address, and of the processor's time that one file may take.
MEMORY_BYTES = 1 << 30
FILE_SECONDS = 20
#: As in ``nice``.
PRIORITY = 5
#: What is written of a file: decoded, or as far as it can be; takes more memory than there is for it.
DECODED, TOO_LARGE = b"decoded\n", b"too large\n"


def main() -> None:
    import sonifold.audio.decode  # before anybody waits for it

    assert sonifold.audio.decode
    end_with_parent()
    limit_process()
    while line := sys.stdin.buffer.readline():
        data = sys.stdin.buffer.read(int(line))
        limit_time()
        try:
            decode(data)
            answer = DECODED
        except MemoryError:
            answer = TOO_LARGE
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()


def decode(data: bytes) -> None:
    """Decode a file as far as it goes. Raises MemoryError."""
    from sonifold.audio.decode import opened
    from sonifold.audio.limits import MAX_SAMPLES
    from sonifold.audio.view import View

    try:
        decoder = opened(View(io.BytesIO(data)), "it")
        with contextlib.closing(decoder):
            frames = 0
            for block in decoder.blocks(MAX_SAMPLES + 1):
                frames += len(block)
                if frames > MAX_SAMPLES:
                    return
    except MemoryError:
        raise
    except Exception:
        return  # the server meets it too, and says what it is


def limit_process() -> None:
    """Give way to others; memory, and nothing of the disk, where the system has such limits."""
    if hasattr(os, "nice"):
        os.nice(PRIORITY)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_time() -> None:
    """From now on so many seconds of the processor; then the system ends this process."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(used.ru_utime + used.ru_stime) + FILE_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))


if __name__ == "__main__":
    main()
