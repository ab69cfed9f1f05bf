"""What the command line and a notebook call.

``from segplug.apis import load_model, train``: each name is imported when it is used, with what it
needs alone. Plain arguments in, a small result out that prints well and shows itself.
"""

from importlib import import_module

from ..startup import importing

# name -> the module that has it, and its name there where that is another
_PLACES = {
    'load_model': 'model', 'Model': 'model', 'Prediction': 'prediction',
    'train': 'training', 'test': 'testing', 'predict': 'predicting', 'score': 'scoring',
    'compare': 'comparing', 'doctor': 'examining.examine', 'browse': 'browsing',
    'stats': 'statistics',
    'pack': 'packing', 'migrate': 'migrating', 'publish': 'publishing', 'load_config': 'config',
    'confusion': 'confusions',
    'export': 'exporting', 'show_config': 'showing', 'diff_configs': 'differing',
    'curves': 'charting', 'report': 'reporting',
    'report_pair': 'pair_reporting', 'features': 'feature_pictures', 'cam': 'activation',
    'complexity': 'counting', 'speed': 'measuring',
}
__all__ = sorted(_PLACES)  # noqa: PLE0605


def __getattr__(name: str):
    if name not in _PLACES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    module, _, attribute = _PLACES[name].partition('.')
    with importing():
        found = import_module(f'{__name__}.{module}')
    return getattr(found, attribute or name)


def __dir__() -> list[str]:
    return [*globals(), *_PLACES]
