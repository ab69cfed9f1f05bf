"""A real browser without a network, for the tests of pages."""

import shutil

import pytest

NAMES = ('chromium', 'google-chrome', 'chromium-browser', 'google-chrome-stable')


@pytest.fixture(scope='session')
def chromium():
    """The browser of this machine, headless; skips where there is none."""
    sync_api = pytest.importorskip('playwright.sync_api', reason='needs playwright')
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f'needs a browser: one of {", ".join(NAMES)}')
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=['--no-sandbox'])
        yield browser
        browser.close()


@pytest.fixture
def show(chromium):
    """Open a page: (file, width=..., height=..., color_scheme=...) -> playwright's page.

    The browser is offline; anything it complains about fails the test.
    """
    contexts, complaints = [], []

    def _show(path, width=1280, height=900, **options):
        # Without motion: a page that still scrolls is not where a test clicks.
        context = chromium.new_context(**{**dict(
            viewport=dict(width=width, height=height), offline=True, reduced_motion='reduce'),
            **options})
        contexts.append(context)
        page = context.new_page()
        page.on('console', lambda message: complaints.append(message.text))
        page.on('pageerror', lambda error: complaints.append(str(error)))
        page.on('request', lambda request: complaints.append(request.url)
                if not request.url.startswith(('file:', 'data:')) else None)
        page.goto(path.resolve().as_uri())
        return page

    yield _show
    for context in contexts:
        context.close()
    assert complaints == []
