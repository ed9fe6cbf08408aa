"""Tags of an Ogg Vorbis file against libsndfile: they change, the sound does not."""

import io

import numpy as np
import pytest
import soundfile

from sonifold.audio.ogg import tagged


@pytest.fixture(scope="module")
def file():
    buffer, noise = io.BytesIO(), np.random.default_rng(3).standard_normal(30_000)
    with soundfile.SoundFile(buffer, "w", 44_100, 1, "VORBIS", format="OGG") as sound:
        sound.title = "before"
        sound.write(0.1 * noise)
    return buffer.getvalue()


@pytest.mark.parametrize("tags", [{}, {"title": "Gong é", "comment": "x" * 2000}, {"comment": "y" * 100_000}])
def test_tags_change_and_the_sound_does_not(file, tags):
    changed = tagged(file, tags)
    with soundfile.SoundFile(io.BytesIO(file)) as before, soundfile.SoundFile(io.BytesIO(changed)) as after:
        assert (after.title, after.comment) == (tags.get("title", ""), tags.get("comment", ""))
        np.testing.assert_array_equal(after.read(), before.read())
    assert tagged(changed, {"title": "before"}) == tagged(file, {"title": "before"})


@pytest.mark.parametrize("length", [0, 4, 20, 100, 4000, -1])
def test_what_is_no_whole_file_is_refused(file, length):
    with pytest.raises(ValueError, match="Ogg"):
        tagged(file[:length], {"title": "x"})
