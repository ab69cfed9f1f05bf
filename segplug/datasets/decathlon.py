"""Medical Segmentation Decathlon: one JSON file per task names classes, images and labels."""

import json
import os
from collections.abc import Mapping

from mmengine import fileio

from ..errors import DataError
from ..registry import DATASETS
from . import scan
from .base import BaseSegDataset


@DATASETS.register_module()
class DecathlonDataset(BaseSegDataset):
    """A task of the Decathlon: ``ann_file`` is its dataset.json, paths are below ``data_root``.

    Classes are the file's ``labels`` in the order of their numbers, unless metainfo has others;
    what else the file says (name, modality ...) is in the metainfo. ``test_mode`` takes the list
    ``test``, which has no labels, else ``training``. Arguments are `BaseSegDataset`'s.

    Raises:
        DataError: The file is missing or is no such description, or files that it names are.
    """

    def _set_classes(self) -> None:
        self._task = self._read_task()
        labels = sorted(self._task['labels'].items(), key=lambda item: int(item[0]))
        facts = {key: value for key, value in self._task.items()
                 if key not in ('training', 'test')}
        self._metainfo = {**facts, 'classes': tuple(name for _, name in labels), **self._metainfo}
        super()._set_classes()

    def _read_task(self) -> dict:
        if not fileio.isfile(self.ann_file, backend_args=self.backend_args):
            raise DataError(f'The description {self.ann_file} does not exist.',
                            got=scan.nearby(self.ann_file), expected='a dataset.json',
                            fix='correct ann_file, data_root or --data-root')
        try:
            task = json.loads(fileio.get_text(self.ann_file, backend_args=self.backend_args))
        except ValueError as error:  # no JSON, or no text
            raise self._malformed(f'it is no JSON: {error}') from error
        for key, kind in (('labels', Mapping), ('training', list), ('test', list)):
            if not isinstance(task, Mapping) or not isinstance(task.get(key), kind):
                raise self._malformed(f'no {key}')
        if not all(str(number).isdecimal() for number in task['labels']):
            raise self._malformed(f'labels {", ".join(map(str, task["labels"]))}')
        return task

    def _malformed(self, got: str) -> DataError:
        return DataError(f'The description {self.ann_file} is malformed.', got=got,
                         expected='{"labels": {"0": "background", ...}, "training": '
                                  '[{"image": "./a", "label": "./b"}, ...], "test": ["./c", ...]}')

    def load_data_list(self) -> list[dict]:
        """One dict per image, as `BaseSegDataset`'s; seg_map_path may be None."""
        rows = self._task['test' if self.test_mode else 'training']
        pairs = [row if isinstance(row, Mapping) else dict(image=row) for row in rows]
        if not all('image' in pair for pair in pairs):
            raise self._malformed('a sample without image')
        names = [name for pair in pairs for name in (pair['image'], pair.get('label')) if name]
        lost = scan.missing(self.data_root, [n.removeprefix('./') for n in names],
                            self.backend_args)
        if lost:
            raise DataError(f'{len(lost)} of the {len(names)} files that {self.ann_file} names are '
                            f'missing: {scan.some(lost)}.', got=scan.nearby(self.data_root),
                            fix='correct data_root, or complete the download')
        scan.report_outside(self.ann_file, names, self.data_root, None)
        return [self._info(pair) for pair in pairs]

    def _info(self, pair: Mapping) -> dict:
        info = dict(img_path=os.path.join(self.data_root, pair['image'].removeprefix('./')),
                    label_map=self.label_map, reduce_zero_label=self.reduce_zero_label,
                    seg_fields=[])
        label = pair.get('label')
        info['seg_map_path'] = label and os.path.join(self.data_root, label.removeprefix('./'))
        return info
