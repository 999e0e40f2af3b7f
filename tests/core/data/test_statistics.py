"""How a text is spaced is nothing that it says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pointsman.data.statistics import plain_text

SPACED = st.lists(
    st.text(max_size=6) | st.sampled_from([" ", "  ", "\n", "\t", "\u00a0", "\u3000", "\x1c"]), max_size=12
)


@given(SPACED.map("".join))
def test_words_of_a_plain_text_are_one_space_apart(text: str) -> None:
    """Whatever separates words, in any script, is one space, and there is none around them; the words are what they were."""
    assert plain_text(text) == " ".join(text.split())
