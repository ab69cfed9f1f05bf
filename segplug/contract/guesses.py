"""Settings for a component that no row and no config describes: arguments that have one meaning.

Of several guesses the first one counts with which the component is made and computes something.
"""

from collections.abc import Callable, Iterator
from inspect import Parameter

from ..arguments import handed_up, parameters

# What a data set, a runner or a loader hands to what it builds.
SUPPLIED = {'params', 'optimizer', 'dataset', 'seed', 'save_dir', 'vis_backends',
            'optim_wrapper_cfg', 'data_root', 'data_prefix', 'pipeline', 'backbone',
            'decode_head', 'data_preprocessor', 'context'}
_ANYWHERE = dict(num_classes=3, channels=8, out_channels=4, mid_channels=4, hidden_channels=8,
                 embed_dim=8, embed_dims=8, prob=0.5, p=0.5, lr=0.01, size=(32, 48), interval=1,
                 crop_size=(24, 32), scale=(64, 48), gamma=0.9, power=0.9, step_size=2,
                 milestones=[1, 3], T_max=5, end=5, end_factor=0.5, param_name='lr', num_outs=3)
_GUESSES = {
    'backbone': [dict(in_channels=3, depth=18), dict(in_channels=3, depth=50)],
    'neck': [dict(in_channels=[6, 8, 10]), dict(in_channels=[6, 8, 10, 12], num_outs=4)],
    'head': [dict(in_channels=8), dict(in_channels=[6, 8, 10], in_index=[0, 1, 2]),
             dict(in_channels=[6, 8], in_index=[0, 1]),
             dict(in_channels=[6, 8, 10, 12], in_index=[0, 1, 2, 3])],
}
# Given also where they have a default, as a head's way of choosing levels goes with the channels.
_TOGETHER = {'in_channels', 'in_index'}


def arguments_of(cls: Callable) -> dict[str, Parameter]:
    """The arguments of a class by name, with those that it hands up by ``**kwargs``."""
    return handed_up(cls) if isinstance(cls, type) else parameters(cls) or {}


def required(cls: Callable) -> list[str]:
    """The arguments that somebody has to name."""
    return [name for name, p in arguments_of(cls).items()
            if p.default is Parameter.empty and name not in SUPPLIED]


def guesses(kind: str, name: str, cls: Callable) -> Iterator[dict]:
    """Settings to try, the likeliest first; none where an argument is not known."""
    taken, needed = arguments_of(cls), required(cls)
    for guess in _GUESSES.get(kind, [{}]):
        known = {**_ANYWHERE, **guess}
        if any(key not in known for key in needed):
            continue
        together = _TOGETHER & guess.keys() & taken.keys() if 'in_channels' in needed else ()
        yield dict(type=name, **{key: known[key] for key in [
            *needed, *(key for key in together if key not in needed)]})


def line_to_write(kind: str, name: str, cls: Callable) -> str:
    """The row that says how it is made, with what can be guessed filled in."""
    known = {**_ANYWHERE, **_GUESSES.get(kind, [{}])[0]}
    needed = ''.join(f', {key}={known.get(key, ...)!r}' for key in required(cls))
    return f"segplug_contract = [dict(type='{name}'{needed})]".replace('Ellipsis', '...')
