"""SFZ in sfizz, in Polyphone with FluidSynth, and in sfzlint."""

from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path

import judge
from exported import KEYS, KIT, MORPH, MORPH_KEY, RATE
from peers import ROOM, SECONDS, environment, program, run

from sonifold.instruments import KeySound, build, lay_out

BARE = 60  # the key of the one region that tells what the player does to the level of any sound
STEPS = {0: 0, 64: 2, 127: 4}  # positions of the wheel, and the step that is heard alone there


def sfizz(written: dict[tuple[str, str], Path]) -> judge.Row:
    """Notes of keys, kit and morph; the player's own level is that of the same WAV in a file of one line."""
    notes: list[tuple[Path, int, int | None, KeySound, bool]] = []
    for zone in lay_out("Keys", KEYS, "keys").zones:  # type: ignore[arg-type]
        notes.append((written["sfz", "keys"], zone.root, None, zone.sound, True))
    for zone in lay_out("My Kit", KIT, "drums").zones:  # type: ignore[arg-type]
        notes.append((written["sfz", "drums"], zone.root, None, zone.sound, False))
    for wheel, step in STEPS.items():
        notes.append((written["sfz", "morph"], MORPH_KEY, wheel, MORPH[step], False))
    rendered = render([bare(), *((path, key, wheel) for path, key, wheel, _, _ in notes)])
    player_db = judge.level(rendered[0][: RATE // 2]) - judge.level(KEYS[0].samples[: RATE // 2, 0])
    rows = [
        judge.compare(samples, sound, RATE, player_db, key if tracks else None)
        for samples, (_, key, _, sound, tracks) in zip(rendered[1:], notes, strict=True)
    ]
    return {"notes": len(rows), "player_db": player_db, **judge.worst(rows)}


def bare() -> tuple[Path, int, None]:
    """A sound of the kit of keys in an SFZ of one line, beside what Sonifold writes of it."""
    folder = ROOM / "bare"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "low.wav").write_bytes(build("Low", KEYS[:1], "zip").files["low.wav"])
    path = folder / "bare.sfz"
    path.write_text(f"<region> sample=low.wav key={BARE} pitch_keycenter={BARE}\n", encoding="utf-8")
    return path, BARE, None


def render(notes: list[tuple[Path, int, int | None]]) -> list:
    """The left channel of each note in sfizz."""
    out = [ROOM / f"sfizz-{number}.wav" for number in range(len(notes))]
    asked = [
        {"sfz": str(path), "key": key, "wheel": wheel, "seconds": SECONDS, "out": str(file)}
        for (path, key, wheel), file in zip(notes, out, strict=True)
    ]
    script = Path(__file__).with_name("sfizz_notes.py")
    run([str(environment("sfizz")), str(script)], json.dumps({"notes": asked, "rate": RATE}))
    return [judge.read(str(file))[0] for file in out]


def fluidsynth(written: dict[tuple[str, str], Path]) -> judge.Row:
    """What Polyphone reads of the SFZ, as a SoundFont, played by FluidSynth; it knows no crossfades."""
    polyphone, player = program("polyphone"), program("fluidsynth")
    fonts = {
        layout: converted(polyphone, path)
        for layout, path in (
            ("bare", bare()[0]),
            ("keys", written["sfz", "keys"]),
            ("drums", written["sfz", "drums"]),
        )
    }
    low = played(player, fonts["bare"], BARE)
    start = judge.onset(low)
    player_db = judge.level(low[start:][: RATE // 2]) - judge.level(KEYS[0].samples[: RATE // 2, 0])
    rows = []
    for layout, sounds in (("keys", KEYS), ("drums", KIT)):
        for zone in lay_out(layout, sounds, layout).zones:  # type: ignore[arg-type]
            samples = played(player, fonts[layout], zone.root, is_drum=layout == "drums")
            rows.append(
                judge.compare(samples, zone.sound, RATE, player_db, zone.root if layout == "keys" else None)
            )
    return {"notes": len(rows), "player_db": player_db, **judge.worst(rows)}


def converted(polyphone: str, path: Path) -> Path:
    """A SoundFont of an SFZ."""
    run([polyphone, "-1", "-i", str(path), "-d", str(ROOM), "-o", path.stem])
    return ROOM / f"{path.stem}.sf2"


def played(player: str, font: Path, key: int, *, is_drum: bool = False) -> object:
    """The left channel of one note held for a second, without effects."""
    song, out = ROOM / "note.mid", ROOM / "note.wav"
    song.write_bytes(one_note(key))
    run([player, "-ni", "-R0", "-C0", "-g", "1", "-r", str(RATE), "-O", "float", "-F", str(out),
         str(font), str(song)])  # fmt: skip
    return judge.read(str(out))[0]


def one_note(key: int) -> bytes:
    """A MIDI file: one note of two beats at 120 a minute, as loud as can be."""
    held = b"\x87\x40"  # 960 ticks
    track = bytes([0, 0x90, key, 127]) + held + bytes([0x80, key, 0]) + held + b"\xff\x2f\x00"
    header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480)
    return header + b"MTrk" + struct.pack(">I", len(track)) + track


def sfzlint(written: dict[tuple[str, str], Path]) -> judge.Row:
    """Opcodes and their values against the tables of sfzformat.com."""
    command = [str(environment("sfzlint")), "-c", "from sfzlint.cli import sfzlint; sfzlint()"]
    said = [
        line
        for (format, _), path in written.items()
        if format == "sfz"
        for line in subprocess.run(
            [*command, str(path)], capture_output=True, text=True, check=True
        ).stdout.splitlines()
    ]
    return {"remarks": said}
