"""The report in a browser: its numbers, its controls, every width, scheme and way of using it."""

import json
import re

import numpy as np
import pytest
from contrast import contrasts
from made_folders import CLASSES, folder_of_a_test

from segplug.apis.reporting import report
from segplug.report.logs import Curve, RunLog
from segplug.report.run_page import (
    MAX_BYTES,
    ImageScore,
    Mode,
    RunPage,
    confusions,
    run_page,
    sparse,
)
from segplug.report.shots import Shot

EVIL = '<script>alert(1)</script>"\'&\u202e名'


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    """The page of a single-scale test with a multi-scale one beside it, and that one's folder."""
    root = tmp_path_factory.mktemp('report')
    multi = folder_of_a_test(root, 'ms', scales=(0.5, 1), wrong=0.05, num=12, boundary=True)
    out = folder_of_a_test(root, num=12, boundary=True)
    report(out, num=6)
    return out, multi


@pytest.fixture
def page(made, show):
    return show(made[0] / 'report.html', reduced_motion='reduce')  # nothing glides while looked at


def exact(locator):
    return [float(value) if value else None for value in locator.evaluate_all(
        'found => found.map(one => one.dataset.value)')]


def test_the_numbers_are_those_of_metrics_json(made, page):
    own, multi = (json.loads((folder / 'metrics.json').read_text()) for folder in made)
    for mode, metrics in (('single-scale', own), ('multi-scale', multi)):
        tile = page.locator(f'[data-mode="{mode}"]')
        assert exact(tile.locator('[data-value]')) == [
            metrics['mIoU'], metrics['mIoU_low'], metrics['mIoU_high']]
        assert f'{metrics["mIoU"]:.2f}%' in tile.inner_text()
        assert '95 % interval' in tile.inner_text()
    edges, more = (json.loads((folder / 'boundary_metrics.json').read_text()) for folder in made)
    rows = page.locator('#class-table tbody tr')
    assert rows.count() == len(CLASSES)
    for row, name in zip(rows.all(), CLASSES, strict=True):
        assert exact(row.locator('[data-value]')) == [own[f'IoU.{name}'], multi[f'IoU.{name}']]
        assert row.locator('td').all_inner_texts()[1:4] == [
            f'{value:.2f}' for value in (own[f'Precision.{name}'], own[f'Recall.{name}'],
                                         edges[f'BIoU.{name}'])]
    tiles = page.locator('.tiles:not(.leads) .tile')
    assert exact(tiles.first.locator('[data-value]')) == [own['aAcc']]
    assert exact(tiles.filter(has_text='Mean Boundary IoU').locator('[data-value]')) == [
        edges['mBIoU']]
    assert more['mBIoU'] != edges['mBIoU']


def test_every_other_score_stands_in_a_table(made, page):
    """Of the whole test in both ways of testing; of the classes in the one of the page."""
    own, multi = (json.loads((folder / 'metrics.json').read_text()) for folder in made)
    page.get_by_text('All other scores').click()
    whole, classes = page.locator('#more table').all()
    assert whole.locator('tbody th').all_inner_texts() == ['FWIoU', 'mDice']
    assert exact(whole.locator('tbody [data-value]')) == [
        scores[key] for key in ('FWIoU', 'mDice') for scores in (own, multi)]
    assert classes.locator('thead th').all_inner_texts() == ['Class', 'Acc', 'Dice', 'Fscore']
    assert classes.locator('tbody td').all_inner_texts() == [
        f'{own[f"{key}.{name}"]:.2f}' for name in CLASSES for key in ('Acc', 'Dice', 'Fscore')]


def test_the_matrix_tells_its_counts_to_pointer_and_keyboard(made, page):
    matrix = np.load(made[0] / 'confusion_matrix.npy')

    def said(t, p):
        count = f'{matrix[t, p]:,}'.replace(',', '\u202f')
        share = 100 * matrix[t, p] / matrix[t].sum()
        return f'{CLASSES[t]} taken for {CLASSES[p]}: {count} pixels, {share:.2f} % of {CLASSES[t]}'

    told = page.locator('#cell')
    page.locator('#matrix').focus()
    assert told.text_content() == said(0, 0)
    for key, cell in (('ArrowRight', (0, 1)), ('ArrowDown', (1, 1)), ('End', (1, 2)),
                      ('ArrowRight', (1, 2)), ('ArrowUp', (0, 2)), ('Home', (0, 0))):
        page.keyboard.press(key)
        assert told.text_content() == said(*cell)
    cell = page.locator('#matrix .cell[data-t="2"][data-p="2"]')
    cell.scroll_into_view_if_needed()
    box = cell.bounding_box()
    page.mouse.move(box['x'] + box['width'] / 2, box['y'] + box['height'] / 2)
    assert told.text_content() == said(2, 2)


def test_the_slider_moves_the_line(page):
    shot = page.locator('.shot').first
    slider, frame = shot.locator('input[type=range]'), shot.locator('.frame')

    def clip(layer):
        return frame.locator(f'.{layer}').evaluate('one => getComputedStyle(one).clipPath')

    before = clip('label'), clip('prediction')
    slider.focus()
    for _ in range(20):
        page.keyboard.press('ArrowRight')
    assert slider.input_value() == '70'
    assert 'percent: label left, prediction right' in slider.get_attribute('aria-valuetext')
    assert clip('label') == 'inset(0px 30% 0px 0px)' != before[0]
    assert clip('prediction') == 'inset(0px 0px 0px 70%)' != before[1]
    box = frame.bounding_box()
    page.mouse.click(box['x'] + box['width'] / 4, box['y'] + 5)
    assert abs(int(slider.input_value()) - 25) <= 1


def test_the_layers_can_be_chosen(page):
    frame = page.locator('.frame').first

    def visible():
        return [name for name in ('image', 'label', 'prediction', 'errors')
                if frame.locator(f'.{name}').is_visible()]

    assert visible() == ['image', 'label', 'prediction']
    page.get_by_label('errors').check()
    assert visible() == ['image', 'label', 'errors']
    page.locator('input[name=left][value=image]').check()
    page.locator('input[name=right][value=image]').check()
    assert visible() == ['image']
    page.get_by_label('Strength of the colours').fill('100')
    page.get_by_label('errors').check()
    assert frame.locator('.errors').evaluate('one => getComputedStyle(one).opacity') == '1'


def test_tables_are_sorted_and_filtered(page):
    table = page.locator('#image-table')

    def column(place):
        return table.locator(f'tbody tr:not([hidden]) > :nth-child({place})').all_inner_texts()

    scores = [float(text) for text in column(2)]
    assert scores == sorted(scores)
    assert len(scores) == 12
    header = table.get_by_role('columnheader', name='mIoU')
    assert header.get_attribute('aria-sort') == 'ascending'
    header.get_by_role('button').focus()
    page.keyboard.press('Enter')
    assert [float(text) for text in column(2)] == scores[::-1]
    assert header.get_attribute('aria-sort') == 'descending'
    table.get_by_role('button', name='Image').click()
    assert column(1) == [f'street_{i}.png' for i in range(12)], 'numbers in names count'
    assert header.get_attribute('aria-sort') is None
    page.get_by_label('Filter by name or class').fill('STREET_1')
    assert column(1) == ['street_1.png', 'street_10.png', 'street_11.png']
    assert page.locator('#found').inner_text() == '3 of 12 images'
    page.locator('#class-table').get_by_role('button', name='IoU', exact=True).click()
    values = [row[0] for row in map(exact, (
        row.locator('[data-value]') for row in page.locator('#class-table tbody tr').all()))]
    assert values == sorted(values)


@pytest.mark.parametrize(('width', 'scheme'), [(360, 'light'), (360, 'dark'), (768, 'light')])
def test_nothing_sticks_out_of_a_narrow_screen(made, show, width, scheme):
    page = show(made[0] / 'report.html', width=width, height=740, color_scheme=scheme)
    assert page.evaluate('document.documentElement.scrollWidth') <= width
    for details in page.locator('details').all():
        details.locator('summary').click()
    assert page.evaluate('document.documentElement.scrollWidth') <= width


def background(page):
    return page.evaluate('getComputedStyle(document.body).backgroundColor')


def test_light_and_dark_follow_the_system_and_the_button(made, show):
    light, dark = (show(made[0] / 'report.html', color_scheme=s) for s in ('light', 'dark'))
    assert background(light) == 'rgb(251, 251, 249)'
    assert background(dark) == 'rgb(18, 20, 23)'
    light.get_by_role('button', name='Use dark colours').click()
    assert background(light) == background(dark)
    light.reload()
    assert background(light) == background(dark), 'the choice is kept'
    light.emulate_media(media='print')
    assert background(light) == 'rgb(255, 255, 255)'


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_every_text_stands_out(made, show, scheme):
    found = contrasts(show(made[0] / 'report.html', color_scheme=scheme))
    assert len(found) > 150
    assert [(ratio, html) for ratio, html in found if ratio < 4.5] == []


def test_what_a_screen_reader_needs_is_there(page):
    assert page.locator('html').get_attribute('lang') == 'en'
    for role in ('banner', 'navigation', 'main', 'contentinfo'):
        assert page.get_by_role(role).count() == 1, role
    levels = page.evaluate("Array.from(document.querySelectorAll('h1,h2,h3'), h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
    found = page.evaluate('''() => ({
        alt: Array.from(document.images, i => i.alt),
        unlabelled: Array.from(document.querySelectorAll('input,select,button'), c =>
            c.labels?.length || c.getAttribute('aria-label') || c.textContent.trim()
            ? null : c.outerHTML).filter(Boolean),
        ids: Array.from(document.querySelectorAll('[id]'), e => e.id),
        links: Array.from(document.querySelectorAll('a[href^="#"]'), a =>
            document.getElementById(a.hash.slice(1)) ? null : a.hash).filter(Boolean),
        tables: Array.from(document.querySelectorAll('table'), t =>
            [!!t.caption, Array.from(t.querySelectorAll('th')).every(h => h.scope)]),
        charts: Array.from(document.querySelectorAll('svg'), s =>
            [s.getAttribute('role'), s.querySelector('title').textContent,
             s.querySelector('desc').textContent]),
        regions: Array.from(document.querySelectorAll('.scroll'), r =>
            r.tabIndex === 0 && !!r.getAttribute('aria-label'))})''')
    assert all(found['alt'])
    assert len(found['alt']) == 4 * 6
    assert found['unlabelled'] == []
    assert found['links'] == []
    assert len(set(found['ids'])) == len(found['ids'])
    assert all(caption and scopes for caption, scopes in found['tables'])
    assert all(role == 'img' and title and desc for role, title, desc in found['charts'])
    assert all(found['regions'])


def test_the_focus_is_seen_and_the_content_one_step_away(page):
    page.keyboard.press('Tab')
    assert page.evaluate('document.activeElement.textContent') == 'Skip to the content'
    assert page.evaluate('getComputedStyle(document.activeElement).outlineStyle') == 'solid'
    page.keyboard.press('Enter')
    assert page.evaluate('document.activeElement.id') == 'main'


def test_the_tab_key_goes_through_all_there_is_from_the_top(page):
    """Of the radio buttons only those that are chosen: the arrow keys go to the others."""
    found = page.locator('a, button, summary, input, [tabindex="0"]').evaluate_all('''all => all
        .filter(one => one.getClientRects().length && !one.closest('details:not([open]) > *')
                || one.tagName === 'SUMMARY')
        .filter(one => one.type !== 'radio' || one.checked)
        .map(one => one.outerHTML.slice(0, 120))''')
    seen = []
    for _ in found:
        page.keyboard.press('Tab')
        seen.append(page.evaluate('document.activeElement.outerHTML.slice(0, 120)'))
    assert seen == found
    for what in ('id="matrix"', 'id="filter"', 'name="left"', 'id="strength"', 'Dividing line in'):
        assert any(what in html for html in seen), what


def test_nothing_moves_for_those_who_asked_for_it(made, show):
    page = show(made[0] / 'report.html', reduced_motion='reduce')
    assert page.evaluate('getComputedStyle(document.documentElement).scrollBehavior') == 'auto'


def test_without_script_and_on_paper_all_four_pictures_stand_side_by_side(made, show):
    for page in (show(made[0] / 'report.html', java_script_enabled=False),
                 show(made[0] / 'report.html')):
        page.emulate_media(media='print')
        boxes = [page.locator(f'.frame >> nth=0 >> .{name}').bounding_box()
                 for name in ('image', 'label', 'prediction', 'errors')]
        assert len({(box['x'], box['y']) for box in boxes}) == 4
        assert not page.locator('.slide').first.is_visible()
        page.set_viewport_size(dict(width=718, height=1000))  # A4 with usual margins
        assert page.evaluate('document.documentElement.scrollWidth') <= 718


def made_page(**changes):
    classes = changes.pop('classes', CLASSES)
    count = len(classes)
    metrics = {'mIoU': 50., 'aAcc': 60., **{f'IoU.{name}': 10. * (k % 10) for k, name in
                                           enumerate(classes)}}
    given = dict(title='t', modes=[Mode('', metrics)], main=0, classes=classes,
                 palette=[[k % 256, 7 * k % 256, 13 * k % 256] for k in range(count)],
                 matrix=np.eye(count, dtype=np.int64) * 10, images=[ImageScore('a', 5., 6.)])
    return RunPage(**{**given, **changes})


def test_hostile_names_are_text(show, tmp_path):
    label = np.zeros((8, 8), np.uint8)
    shot = Shot(EVIL, 1., (EVIL,), np.zeros((8, 8, 3), np.uint8), label, label)
    classes = [EVIL, 'b' * 300, '\x00\ud800']
    text = run_page(made_page(
        title=EVIL, classes=classes, modes=[Mode(EVIL, {'mIoU': 1., 'aAcc': 1., **{
            f'{key}.{name}': 1. for name in classes for key in ('IoU', EVIL)}, EVIL: 2.},
            0.9, EVIL)],
        images=[ImageScore(EVIL, 1., 1., EVIL, 0.)], worst=[shot],
        middle=[Shot(EVIL, 1., error=EVIL)], log_note=EVIL, config=EVIL, remarks=[EVIL]))
    (tmp_path / 'x.html').write_text(text, encoding='utf-8')
    page = show(tmp_path / 'x.html', width=360)
    assert page.evaluate('document.scripts.length') == 3, 'theme, counts, our own'
    assert page.locator('h1').text_content() == EVIL
    assert page.locator('figcaption b').first.text_content() == EVIL
    assert page.locator('.shot .error-text').text_content() == EVIL
    page.locator('#matrix').focus()
    assert page.locator('#cell').text_content().startswith(f'{EVIL} taken for {EVIL}')
    assert page.evaluate('document.documentElement.scrollWidth') == 360


def test_one_class_one_image_and_no_score(show, tmp_path):
    nan = float('nan')
    text = run_page(made_page(
        classes=['only'], matrix=np.zeros((1, 1), np.int64), images=[ImageScore('a', nan, nan)],
        modes=[Mode('', {'mIoU': nan, 'aAcc': nan, 'IoU.only': nan})]))
    (tmp_path / 'x.html').write_text(text, encoding='utf-8')
    page = show(tmp_path / 'x.html')
    assert '1 image of 1 class.' in page.locator('.head').inner_text()
    assert page.locator('#class-table tbody td').all_inner_texts() == ['–', '–', '–', '0.00']
    assert 'Every scored pixel is right.' in page.locator('#confusion').inner_text()
    page.locator('#matrix').focus()
    assert page.locator('#cell').text_content() == 'only taken for only: 0 pixels'


def test_three_hundred_classes_tell_their_counts(show, tmp_path):
    rng = np.random.default_rng(0)
    matrix = rng.integers(0, 5000, (300, 300))
    classes = [f'class {k}' for k in range(300)]
    text = run_page(made_page(classes=classes, matrix=matrix))
    assert len(text.encode()) < MAX_BYTES
    (tmp_path / 'x.html').write_text(text, encoding='utf-8')
    page = show(tmp_path / 'x.html', width=360)
    page.locator('#matrix').focus()
    page.keyboard.press('End')
    assert f': {matrix[0, 299]:,}'.replace(',', '\u202f') in page.locator('#cell').text_content()
    assert page.locator('#class-table tbody tr').count() == 300
    assert page.evaluate('document.documentElement.scrollWidth') == 360


def test_five_hundred_images_and_twenty_noisy_pictures_are_below_five_megabytes():
    """Noise is what neither JPEG nor PNG makes smaller."""
    rng = np.random.default_rng(0)
    shots = [Shot(f'town/image_{i}', 5., (), rng.integers(0, 256, (360, 720, 3), np.uint8),
                  *rng.integers(0, 19, (2, 360, 720), np.uint8)) for i in range(4)] * 5
    images = [ImageScore(f'some/long/folder/of/a/town/image_number_{i:06}_leftImg8bit.png', i / 5,
                         i / 5, 'traffic light', 1.) for i in range(500)]
    matrix = rng.integers(0, 10**9, (19, 19))
    text = run_page(made_page(classes=[f'class {k}' for k in range(19)], matrix=matrix,
                              images=images, worst=shots[:10], middle=shots[10:]))
    assert text.count('<img class="image"') == 20
    assert 2_000_000 < len(text.encode()) < MAX_BYTES < 5_000_000


def test_where_there_is_no_room_there_are_no_pictures():
    picture = np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8)
    shot = Shot('a', 5., (), picture, picture[..., 0] % 3, picture[..., 1] % 3)
    text = run_page(made_page(worst=[shot]), max_bytes=9)
    assert '<img' not in text
    assert 'no room for its pictures' in text


def test_the_largest_confusions_and_the_counts():
    matrix = np.array([[9, 1, 0], [4, 6, 0], [0, 0, 0]])
    assert confusions(matrix) == [(1, 0, 4, 40.), (0, 1, 1, 10.)]
    assert confusions(matrix, 1) == [(1, 0, 4, 40.)]
    assert sparse(matrix) == [[0, 9, 1, 1], [0, 4, 1, 6], []]


def test_the_table_of_curves_has_every_validation():
    """1800 lines of training are 40: each 45th, back from 90 000, each 2250 iterations. Of the
    validations, each 8000, only that at 72 000 is among them."""
    trained, tested = np.arange(50., 90_001, 50), np.arange(8000., 90_000, 8000)
    log = RunLog('r', {'loss': Curve(trained, 1e4 / trained), 'mIoU': Curve(tested, tested / 1e3)},
                 (50,), ())
    table = run_page(made_page(log=log)).partition('Logged values')[2].partition('</table>')[0]
    rows = [re.findall(r'<t[hd][^>]*>([^<]+)<', row) for row in table.split('<tr>')[2:]]
    assert len(rows) == 40 + 11 - 1
    assert [row for row in rows if row[2] != '–'] == [
        [str(x), f'{1e4 / x:.4g}', f'{x / 1e3:.4g}'] for x in range(8000, 90_000, 8000)]
    assert [rows[0], rows[-1]] == [['2250', '4.444', '–'], ['90000', '0.1111', '–']]
