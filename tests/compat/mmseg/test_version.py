"""Versions compare as versions do."""


def test_digit_version(lent):
    from mmseg import digit_version
    assert digit_version('0.2.16') == (0, 2, 16, 0, 0, 0)
    assert digit_version('1.2.3rc1') == (1, 2, 3, 0, -1, 1)
    assert digit_version('1.0.0a2') == (1, 0, 0, 0, -3, 2)
    assert digit_version('1.0.post3') == (1, 0, 0, 0, 1, 3)
    assert digit_version('1.0.dev0') == (1, 0, 0, 0, -4, 0)
    assert digit_version('1.0rc1') < digit_version('1.0') < digit_version('1.0.post1')


def test_parse_version_info(lent):
    from mmseg.version import parse_version_info
    assert parse_version_info('1.2.2') == (1, 2, 2)
    assert parse_version_info('1.0.0rc4') == (1, 0, 0, 'rc4')
