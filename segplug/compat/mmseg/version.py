"""The version of mmsegmentation whose interface this is, as that package tells it."""

from packaging.version import parse

__version__ = '1.2.2'
version_info = (1, 2, 2)

# How far a pre-release lies before its release.
_PRE = {'a': -3, 'b': -2, 'rc': -1}


def parse_version_info(version_str: str) -> tuple:
    """'1.2.2' -> (1, 2, 2); '1.0.0rc4' -> (1, 0, 0, 'rc4')."""
    parts = []
    for part in version_str.split('.'):
        number, sign, candidate = part.partition('rc')
        parts += [int(number), *([f'rc{candidate}'] if sign else [])]
    return tuple(parts)


def digit_version(version_str: str, length: int = 4) -> tuple[int, ...]:
    """A version as numbers that compare as versions do.

    ``length`` numbers of the release, then (-3, n) for an alpha, (-2, n) for a beta, (-1, n) for
    a release candidate, (0, 0) for a release and (1, n) for a post-release.
    """
    version = parse(version_str)
    release = (*version.release, *[0] * length)[:length]
    if version.pre is not None:
        return (*release, _PRE[version.pre[0]], version.pre[1])
    if version.is_prerelease:  # a development release
        return (*release, -4, 0)
    return (*release, 1, version.post) if version.is_postrelease else (*release, 0, 0)
