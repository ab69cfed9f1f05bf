"""``mmseg.utils.class_names``: classes and colours of published data sets, by function or alias."""

from ...errors import ConfigError, did_you_mean
from ...registry import DATASETS

# Name -> the registered data set, and what else it is called.
_SETS = {
    'cityscapes': ('CityscapesDataset', ['cityscapes']),
    'ade': ('ADE20KDataset', ['ade', 'ade20k']),
    'voc': ('PascalVOCDataset', ['voc', 'pascal_voc', 'voc12', 'voc12aug']),
    'pcontext': ('PascalContextDataset', ['pcontext', 'pascal_context', 'voc2010']),
    'loveda': ('LoveDADataset', ['loveda']),
    'potsdam': ('PotsdamDataset', ['potsdam']),
    'vaihingen': ('ISPRSDataset', ['vaihingen']),
    'cocostuff': ('COCOStuffDataset', [f'{coco}stuff{size}' for coco in ('coco', 'coco-', 'coco_')
                                       for size in ('', '10k', '164k')]),
    'isaid': ('iSAIDDataset', ['isaid', 'iSAID']),
    'stare': ('STAREDataset', ['stare', 'STARE']),
    'lip': ('LIPDataset', ['LIP', 'lip']),
    'mapillary_v1': ('MapillaryDataset_v1', ['mapillary_v1']),
    'mapillary_v2': ('MapillaryDataset_v2', ['mapillary_v2']),
    'bdd100k': ('BDD100KDataset', ['bdd100k']),
    'synapse': ('SynapseDataset', []),
}
dataset_aliases = {name: aliases for name, (_, aliases) in _SETS.items() if aliases}


def _metainfo(dataset: str) -> dict:
    """METAINFO of the data set that is called so."""
    if not isinstance(dataset, str):
        raise TypeError(f'A data set is named by a str, not by {dataset!r}')
    for kind, aliases in _SETS.values():
        if dataset in aliases:
            return DATASETS.get(kind).METAINFO
    names = [alias for _, aliases in _SETS.values() for alias in aliases]
    raise ConfigError(f'No published data set is called {dataset!r}.',
                      expected=f'one of {", ".join(names)}', fix=did_you_mean(dataset, names))


def get_classes(dataset: str) -> list[str]:
    """Names of the classes.

    Raises:
        ConfigError: For an unknown data set.
    """
    return list(_metainfo(dataset)['classes'])


def get_palette(dataset: str) -> list[list[int]]:
    """One (r, g, b) in [0, 255] for each class; errors as for `get_classes`."""
    return [list(colour) for colour in _metainfo(dataset)['palette']]


def __getattr__(name: str):
    """``ade_classes``, ``ade_palette`` and their like, for each data set."""
    short, _, what = name.rpartition('_')
    if short not in _SETS or what not in ('classes', 'palette'):
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')

    def per_class() -> list:
        return [entry if isinstance(entry, str) else list(entry)
                for entry in DATASETS.get(_SETS[short][0]).METAINFO[what]]
    per_class.__name__ = name
    return per_class
