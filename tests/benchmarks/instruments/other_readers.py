"""Hydrogen in Hydrogen, the OP-1's AIFF in SoX, XML against schemas, and every WAV in SoX."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import judge
from exported import KIT, RATE
from peers import ROOM, program, run

from sonifold.instruments import lay_out

BAR_SECONDS = 4  # of four beats at 60 a minute
HOME = ROOM / "home"  # Hydrogen keeps its kits in the user's folder: here it has one of its own
UNIT_SECONDS = 12 / (2**31 - 2)  # of positions in an OP-1 kit


def hydrogen(written: dict[tuple[str, str], Path]) -> judge.Row:
    """The kit is checked, installed, and a song exported that plays each of its instruments for a bar."""
    h2cli = program("h2cli")
    kit = written["h2drumkit", "drums"]
    HOME.mkdir(parents=True, exist_ok=True)
    surroundings = {**os.environ, "HOME": str(HOME), "QT_QPA_PLATFORM": "offscreen"}
    checked = run([h2cli, "-c", str(kit)], environment=surroundings)
    if "is valid" not in checked:
        return {"error": "h2cli calls the kit invalid"}
    run([h2cli, "-i", str(kit)], environment=surroundings)
    song, out = ROOM / "kit.h2song", ROOM / "kit.wav"
    song.write_text(song_of(kit), encoding="utf-8")
    run([h2cli, "-d", "auto", "-s", str(song), "-o", str(out), "-r", str(RATE), "-b", "32"],
        environment=surroundings)  # fmt: skip
    samples, rate = judge.read(str(out))
    bar = BAR_SECONDS * rate
    sounds = [zone.sound for zone in lay_out("My Kit", KIT, "drums").zones]  # type: ignore[arg-type]
    rows = [
        judge.compare(samples[number * bar : (number + 1) * bar], sound, rate)
        for number, sound in enumerate(sounds)
    ]
    return {"notes": len(rows), "player_db": 0.0, **judge.worst(rows)}


def song_of(kit: Path) -> str:
    """A song of Hydrogen's with the instruments of a kit, one after another."""
    with tarfile.open(kit) as archive:
        (name,) = [name for name in archive.getnames() if name.endswith("drumkit.xml")]
        document = ET.fromstring(archive.extractfile(name).read())  # type: ignore[union-attr]
    for element in document.iter():
        element.tag = element.tag.rpartition("}")[2]
    title = document.findtext("name", "")
    song = ET.Element("song")
    for tag, text in (
        ("version", "1.2.0"), ("bpm", 60), ("volume", 1), ("mode", "song"), ("patternModeMode", "true"),
        ("loopEnabled", "false"), ("action_mode", 0), ("pan_law_type", "RATIO_STRAIGHT_POLYGONAL"),
        ("humanize_time", 0), ("humanize_velocity", 0), ("swing_factor", 0),
    ):  # fmt: skip
        ET.SubElement(song, tag).text = str(text)
    song.append(document.find("componentList"))  # type: ignore[arg-type]
    instruments = document.find("instrumentList")
    song.append(instruments)  # type: ignore[arg-type]
    patterns, sequence = ET.SubElement(song, "patternList"), ET.Element("patternSequence")
    for number, instrument in enumerate(instruments):  # type: ignore[arg-type]
        ET.SubElement(instrument, "drumkit").text = title
        ET.SubElement(instrument, "drumkitLookup").text = "0"  # the user's kits before those of the system
        pattern = ET.SubElement(patterns, "pattern")
        for tag, text in (("name", f"bar {number}"), ("size", 192), ("denominator", 4)):
            ET.SubElement(pattern, tag).text = str(text)
        note = ET.SubElement(ET.SubElement(pattern, "noteList"), "note")
        for tag, text in (("position", 0), ("leadlag", 0), ("velocity", 1), ("pan", 0), ("pitch", 0),
                          ("probability", 1), ("key", "C0"), ("length", -1), ("instrument", number)):  # fmt: skip
            ET.SubElement(note, tag).text = str(text)
        ET.SubElement(ET.SubElement(sequence, "group"), "patternID").text = f"bar {number}"
    song.append(sequence)
    return ET.tostring(song, encoding="unicode")


def op1(written: dict[tuple[str, str], Path]) -> judge.Row:
    """SoX cuts each sound out of the AIFF where the kit's JSON says that it lies; no reader of the JSON installs."""
    sox, kit, out = program("sox"), written["op1", "drums"], ROOM / "slice.wav"
    data = kit.read_bytes()
    fields = json.JSONDecoder().raw_decode(data[data.index(b"op-1{") + 4 :].decode("latin-1"))[0]
    sounds = [zone.sound for zone in lay_out("My Kit", KIT, "drums").zones]  # type: ignore[arg-type]
    rows = []
    for sound, start, end in zip(sounds, fields["start"], fields["end"], strict=False):
        first, last = (round(position * UNIT_SECONDS * RATE) for position in (start, end))
        run(
            [
                sox,
                str(kit),
                "-e",
                "floating-point",
                "-b",
                "32",
                str(out),
                "trim",
                f"{first}s",
                f"{last - first}s",
            ]
        )
        samples, rate = judge.read(str(out))
        rows.append(judge.compare(samples, sound, rate))
    return {"notes": len(rows), "player_db": 0.0, **judge.worst(rows)}


def schema_of_multisample(written: dict[tuple[str, str], Path], schema: Path | None) -> judge.Row:
    """``multisample.xml`` against the schema that the format's authors print in their README."""
    if schema is None:
        return {"error": "no schema given: see --multisample-schema"}
    xmllint = program("xmllint")
    remarks = []
    for (format, layout), path in written.items():
        if format != "multisample":
            continue
        document = ROOM / f"{layout}.xml"
        document.write_bytes(zipfile.ZipFile(path).read("multisample.xml"))
        done = subprocess.run(
            [xmllint, "--noout", "--schema", str(schema), str(document)], capture_output=True, text=True
        )
        remarks += done.stderr.splitlines() if done.returncode else []
    return {"remarks": remarks}


def sounds_in(format: str, written: dict[tuple[str, str], Path]) -> judge.Row:
    """Each WAV of a kit in SoX: of formats whose document no program reads here, the sounds at least."""
    sox, path = program("sox"), written[format, "drums"]
    source, out = ROOM / "source.wav", ROOM / "sound.wav"
    rows = []
    for zone in lay_out("My Kit", KIT, "drums").zones:  # type: ignore[arg-type]
        source.write_bytes(file_in(path, f"{zone.stem}.wav"))
        run([sox, str(source), "-e", "floating-point", "-b", "32", str(out)])
        samples, rate = judge.read(str(out))
        rows.append(judge.compare(samples, zone.sound, rate))
    return {"notes": len(rows), "player_db": 0.0, **judge.worst(rows)}


def file_in(path: Path, name: str) -> bytes:
    """A file of a ZIP, or beside a program, by the last part of its path."""
    if not zipfile.is_zipfile(path):
        return (path.parent / name).read_bytes()
    with zipfile.ZipFile(path) as archive:
        (entry,) = [entry for entry in archive.namelist() if entry.rpartition("/")[2] == name]
        return archive.read(entry)
