"""When two e-mails are the same, and when two names only look the same."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cld_user_groups.identity import email_key, name_key, seen_name

# Letters, their marks, and the characters that Unicode would replace by one of another alphabet.
TEXTS = st.text(st.sampled_from("aAeEiIjJkKsSωΩσςß\u1e9eſıİﬁ\u212a\u212b\u2126\u1fbb") |
                st.sampled_from("\u0301\u0307\u030a\u030c\u0323\u0340\u0341\u0345\u093c\u0958 @.") |
                st.characters(), max_size=8)  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ann@Example.com", " ann@example.COM\t", True),
        ("É@b.example", "é@b.example", True),
        ("e\u0301@b.example", "\u00e9@b.example", True),
        ("E\u0301@b.example", "\u00e9@b.example", True),
        ("J\u030c@b.example", "\u01f0@b.example", True),
        ("I\u0307@b.example", "İ@b.example", True),
        ("e\u0301\u212a@b.example", "\u00e9\u212a@b.example", True),
        ("straße@b.example", "strasse@b.example", False),
        ("STRASSE@b.example", "straße@b.example", False),
        ("stra\u1e9ee@b.example", "straße@b.example", False),
        ("oﬁce@b.example", "ofice@b.example", False),
        ("\u212aim@b.example", "kim@b.example", False),
        ("\u212b@b.example", "\u00e5@b.example", False),
        ("\u2126@b.example", "ω@b.example", False),
        ("ς@b.example", "σ@b.example", False),
        ("ı@b.example", "i@b.example", False),
        ("İ@b.example", "i@b.example", False),
        ("ſ@b.example", "s@b.example", False),
        ("e\u0301@b.example", "e@b.example", False),
    ],
)
def test_emails_are_the_same_without_case_and_by_no_other_letters(one, other, same):
    assert (email_key(one) == email_key(other)) is same


def test_no_single_character_becomes_ascii_or_another_key():
    others = {True: [], False: []}
    for character in map(chr, range(sys.maxunicode + 1)):
        if character == character.lower() and unicodedata.is_normalized("NFD", character):
            others[unicodedata.category(character) in ("Cn", "Co", "Cs")].append(character)
            continue
        key = email_key(f"a{character}b")
        assert key.isascii() == character.isascii(), hex(ord(character))
        assert email_key(key) == key, hex(ord(character))
    # All others stay what they are. Together, which is much faster, and beside what no mark joins,
    # but for those that are no characters, which none joins.
    stays = f"a{'@'.join(others[False])}b{''.join(others[True])}b"
    assert email_key(stays) == stays


@given(TEXTS)
@example("J\u030c")
@example("I\u0307")
def test_the_key_of_a_key_is_the_key(text):
    assert email_key(email_key(text)) == email_key(text)
    assert name_key(name_key(text)) == name_key(text)


@given(TEXTS, TEXTS)
def test_an_email_outside_ascii_is_never_one_within_it(one, other):
    if email_key(one) == email_key(other):
        assert one.strip().isascii() == other.strip().isascii()


@given(TEXTS)
def test_letters_and_marks_are_the_same_composed_or_not(text):
    if not any(email_key(c) != email_key(unicodedata.normalize("NFC", c)) for c in text):
        composed = unicodedata.normalize("NFC", text)
        assert email_key(composed) == email_key(unicodedata.normalize("NFD", text))


@pytest.mark.parametrize(
    "unseen",
    "\u00ad\u034f\u115f\u200b\u200d\u202e\u2060\u2800\u3164\ufe00\ufe0f\ufeff\uffa0"
    "\U000e0041\x00 \t\u00a0\u3000",
)
def test_a_name_looks_the_same_with_what_cannot_be_seen(unseen):
    assert seen_name(f"Legal{unseen}Team") == seen_name("LegalTeam") != seen_name("legalteam")
    assert name_key(f"LEGAL{unseen}Team{unseen}") == name_key("legal team")


@pytest.mark.parametrize(("one", "other"), [("Design", "Desing"), ("Café", "Cafe"), ("A1", "A-1")])
def test_a_name_with_other_characters_does_not_look_the_same(one, other):
    assert name_key(one) != name_key(other)
