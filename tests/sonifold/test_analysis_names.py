"""What names of files and folders say, in the spellings of sample libraries."""

import pytest

from sonifold.analysis.names import SPELLINGS, TAGS, read_name, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("HatClosed02", ["hat", "closed", "02"]),
        ("808Kick", ["808", "kick"]),
        ("BD_Hard-01", ["bd", "hard", "01"]),
        ("WAVLoop F#", ["wav", "loop", "f#"]),
        ("", []),
    ],
)
def test_names_are_words_at_signs_capitals_and_numbers(text, words):
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("stem", "folder", "tags"),
    [
        ("BD01", "", ("kick",)),
        ("kik_dry", "", ("kick", "dry")),
        ("SD 3", "", ("snare",)),
        ("Rim-1", "", ("rim",)),
        ("CHH1", "", ("hat", "closed")),
        ("909 OH", "", ("hat", "open")),
        ("PERC 4", "", ("percussion",)),
        ("side stick", "", ("rim",)),
        ("01", "Vendor/Snares/Tape", ("snare",)),
        ("01", "Kicks/Snares", ("snare",)),  # the nearest folder says it
        ("Tom 2", "Kicks", ("tom",)),  # and the name before all folders
        ("kickflip", "", ()),  # no word of the list, though it begins with one
    ],
)
def test_tags_are_the_names_own_or_the_nearest_folders(stem, folder, tags):
    assert read_name(stem, folder).tags == tags


@pytest.mark.parametrize(
    ("stem", "tempo", "key"),
    [
        ("loop_120bpm_Am", 120, "A minor"),
        ("BPM 95 F#maj", 95, "F# major"),
        ("Pad Eb", None, "Eb"),
        ("A nice day", None, None),  # a lone letter is no key
        ("9999bpm", None, None),
        ("Cmin7", None, None),
    ],
)
def test_tempo_and_key_stand_in_names(stem, tempo, key):
    facts = read_name(stem)
    assert (facts.tempo, facts.key) == (tempo, key)


def test_every_spelling_is_found_as_it_is_listed():
    for tag, spellings in SPELLINGS.items():
        for spelling in spellings:
            assert tag in TAGS[spelling]
            if tag != "one-shot":
                assert tag in read_name(f"x {spelling} 1").tags, spelling
