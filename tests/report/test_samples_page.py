"""The page of samples: it parses, holds everything itself, and shows text as text."""

import base64
import re
from html.parser import HTMLParser

import cv2
import numpy as np

from segplug.report.samples_page import Card, Entry, Note, samples_page

VOID = {'meta', 'img', 'input', 'br'}


class Strict(HTMLParser):
    """Collects tags, and fails where one is closed that was not open."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def of(self, name):
        return [attrs for tag, attrs in self.tags if tag == name]


def page(**changes):
    picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    given = dict(title='t', about=['a'], cards=[Card('x.png', ('f',), picture, picture)],
                 legend=[Entry('road', 'rgb(1,2,3)', 0.25, 1)], notes=[])
    return samples_page(**{**given, **changes})


def test_it_parses_and_asks_no_other_computer():
    text = page()
    parsed = Strict(text)
    assert parsed.open == []
    assert all(attrs['src'].startswith('data:image/') for attrs in parsed.of('img'))
    assert not re.search(r'(https?:)?//[a-z]', re.sub(r'base64,[^"]*', '', text))
    assert parsed.of('link') == []
    assert "default-src 'none'" in parsed.of('meta')[2]['content']


def test_labels_are_kept_to_the_pixel():
    layer = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    parsed = Strict(page(cards=[Card('x', (), layer, layer)]))
    source = next(a['src'] for a in parsed.of('img') if a['class'] == 'layer')
    data = np.frombuffer(base64.b64decode(source.partition(',')[2]), np.uint8)
    assert np.array_equal(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1], layer)


def test_text_is_shown_as_text():
    evil = '<script>alert(1)</script>"\'&'
    text = page(title=evil, about=[evil], cards=[Card(evil, (evil,), error=evil)],
                legend=[Entry(evil, 'red', 0.5, 1)], notes=[Note('error', evil, evil, (evil,))])
    parsed = Strict(text)
    assert len(parsed.of('script')) == 2, 'our own'
    assert sum(evil in part for part in parsed.text) >= 7


def test_a_note_stands_with_its_lines_and_none_is_said():
    assert 'found nothing' in page()
    text = page(notes=[Note('error', 'off_by_one', 'Labels count from 1.', ('in a: b=1',))])
    assert 'found nothing' not in text
    assert '<code>in a: b=1</code>' in text


def test_the_legend_says_what_is_absent():
    text = page(legend=[Entry('road', 'red', 0.25, 3), Entry('sky', 'blue', 0, 0)])
    assert re.search(r'<b>25.00 %</b>\s*<em>3</em>', text)
    assert '<li class="absent">' in text


def test_a_sample_without_label_has_no_layer():
    picture = np.zeros((2, 2, 3), np.uint8)
    assert [a['class'] for a in Strict(page(cards=[Card('x', (), picture)])).of('img')] == [
        'picture']
