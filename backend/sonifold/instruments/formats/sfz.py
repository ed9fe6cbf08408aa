"""SFZ: a text beside a folder of sounds, for sforzando, sfizz, liquidsfz, LinuxSampler and many more.

Opcodes by sfzformat.com. A morph is crossfaded by controller 1, the modulation wheel.
"""

from __future__ import annotations

from sonifold.audio.archive import file_stem, with_credits
from sonifold.choices import InstrumentName, Layout
from sonifold.instruments.format import Container, InstrumentFormat, register
from sonifold.instruments.instrument import Crossfade, Instrument, Zone
from sonifold.instruments.package import SoundOptions, one_line, sound_files

SOUNDS = "samples/"
WHEEL = 1  # controller
RELEASE_SECONDS = 0.1  # after a key is let go: a harder stop clicks


def write(instrument: Instrument, options: SoundOptions) -> dict[str, bytes]:
    files = sound_files(instrument, options.format or "wav", options.depth, SOUNDS)
    lines = [
        f"// {one_line(instrument.name)}",
        "// Made with Sonifold; README.txt and sounds.csv say of what and under which licences.",
        "<control>",
        *(["set_cc1=0", "label_cc1=Morph"] if instrument.layout is Layout.MORPH else []),
        "<global>",
        *settings(instrument),
        *(
            line
            for zone, file in zip(instrument.zones, files, strict=True)
            for line in region(zone, file.name)
        ),
    ]
    text = "\n".join(lines) + "\n"
    return with_credits(files, {f"{file_stem(instrument.name)}.sfz": text.encode()})


def settings(instrument: Instrument) -> list[str]:
    """What all regions share."""
    if instrument.layout is Layout.DRUMS:
        return ["loop_mode=one_shot"]
    curve = [f"xf_cccurve={'gain' if instrument.coherent else 'power'}"]
    return [f"ampeg_release={RELEASE_SECONDS}", *(curve if instrument.layout is Layout.MORPH else [])]


def region(zone: Zone, file: str) -> list[str]:
    """One zone."""
    cents = round(100 * zone.tune)
    loop = zone.sound.loop
    lines = [
        "",
        "<region>",
        f"sample={file}",
        f"lokey={zone.keys.low} hikey={zone.keys.high} pitch_keycenter={zone.root}",
        f"lovel={zone.velocities.low} hivel={zone.velocities.high}",
    ]
    if cents:
        lines.append(f"tune={cents}")
    if not zone.tracks:
        lines.append("pitch_keytrack=0")
    if zone.gain_db:
        lines.append(f"volume={zone.gain_db:.2f}")
    if loop:
        lines.append(f"loop_mode=loop_continuous loop_start={loop.start} loop_end={loop.end - 1}")
    elif zone.tracks:
        lines.append("loop_mode=no_loop")
    return lines + (crossfade(zone.wheel) if zone.wheel else [])


def crossfade(wheel: Crossfade) -> list[str]:
    """The opcodes by which a zone comes and goes; none where it stands at an end of the wheel."""
    lines = []
    if wheel.start < wheel.peak:
        lines.append(f"xfin_locc{WHEEL}={wheel.start} xfin_hicc{WHEEL}={wheel.peak}")
    if wheel.peak < wheel.end:
        lines.append(f"xfout_locc{WHEEL}={wheel.peak} xfout_hicc{WHEEL}={wheel.end}")
    return lines


register(
    InstrumentFormat(
        InstrumentName.SFZ,
        "sfz",
        Container.FOLDER,
        (Layout.KEYS, Layout.DRUMS, Layout.MORPH),
        ("wav", "flac"),
        write,
    )
)
