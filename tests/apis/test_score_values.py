"""What file values mean: tables by hand, and which kind of values files hold."""

import numpy as np
import pytest
from PIL import Image

from segplug.apis.score_labelling import of_classes, of_config, of_dataset
from segplug.apis.score_values import kind_of, meaning, read_ids, shown
from segplug.errors import ConfigError, DataError


def saved(folder, *maps):
    files = []
    for i, values in enumerate(maps):
        files.append(folder / f'{i}.png')
        Image.fromarray(np.array([values], np.uint8)).save(files[-1])
    return files


def entries(table):
    return {int(v): int(table[v]) for v in np.where(table >= 0)[0]}


def test_tables_of_plain_classes():
    plain = of_classes('3', ignore_index=9)
    assert entries(plain.prediction_table('class-ids')) == {0: 0, 1: 1, 2: 2, 9: 255}
    assert entries(plain.label_table('class-ids')) == {0: 0, 1: 1, 2: 2, 9: 255}
    ignored_class = of_classes('3', ignore_index=0)
    assert entries(ignored_class.label_table('class-ids')) == {0: 255, 1: 1, 2: 2}


def test_tables_with_zero_reduced():
    reduced = of_classes('2', reduce_zero_label=True)
    assert entries(reduced.label_table('class-ids')) == {0: 255, 1: 0, 2: 1, 255: 255, 256: 255}
    assert entries(reduced.prediction_table('label-ids')) == {0: 255, 1: 0, 2: 1, 255: 255}
    assert entries(reduced.prediction_table('class-ids')) == {0: 0, 1: 1, 255: 255}


def test_tables_of_cityscapes():
    city = of_dataset('Cityscapes')
    label_ids = entries(city.label_table('label-ids'))
    assert set(label_ids) == {*range(34), 255}
    assert (label_ids[7], label_ids[33], label_ids[0], label_ids[29]) == (0, 18, 255, 255)
    assert entries(city.label_table('class-ids')) == {**{k: k for k in range(19)}, 255: 255}


def test_a_subset_of_the_classes_follows_in_labels_of_either_kind(write):
    config = write('two.py', """
        _base_ = ['segplug::unet/unet_r18_minicity.py']
        test_dataloader = dict(dataset=dict(metainfo=dict(classes=('sky', 'road'))))
        """)
    two, settings = of_config(str(config))
    assert settings == [dict(type='IoUMetric', iou_metrics=['mIoU'])]
    train_ids = entries(two.label_table('class-ids'))
    assert {v for v, k in train_ids.items() if k != 255} == {0, 10}
    assert (train_ids[10], train_ids[0]) == (0, 1)
    label_ids = entries(two.label_table('label-ids'))
    assert (label_ids[23], label_ids[7], label_ids[26]) == (0, 1, 255)
    assert entries(two.prediction_table('class-ids')) == {0: 0, 1: 1, 255: 255}


def test_values_decide_and_the_file_is_named(tmp_path):
    city = of_dataset('cityscapes')
    files = saved(tmp_path, [7, 8, 11], [0, 7], [26])
    kind, why = kind_of(files[2:], 'prediction', None, city)
    assert (kind, '2.png holds 26' in why) == ('label-ids', True)
    kind, why = kind_of(files, 'prediction', None, city)  # the first says nothing
    assert (kind, '1.png holds 0' in why) == ('class-ids', True)
    with pytest.raises(ConfigError, match='alike.*--pred-values class-ids.*7, 8, 11 to 13'):
        kind_of(files[:1], 'prediction', None, city)
    assert kind_of(files[:1], 'prediction', 'label-ids', city)[0] == 'label-ids'


def test_label_ids_have_the_say_where_unscored_ids_occur_too(tmp_path):
    city = of_dataset('cityscapes')
    assert kind_of(saved(tmp_path, [0, 3, 26]), 'prediction', None, city)[0] == 'label-ids'
    assert kind_of(saved(tmp_path, [0, 3, 255]), 'label', None, city)[0] == 'class-ids'


def test_names_decide_before_values(tmp_path):
    city = of_dataset('cityscapes')
    file = saved(tmp_path, [7])[0]
    for name, kind in (('x_gtFine_labelIds.png', 'label-ids'), ('x_labelTrainIds.png',
                                                                'class-ids')):
        assert kind_of([file.rename(tmp_path / name)], 'label', None, city)[0] == kind
        file = tmp_path / name


def test_what_may_be_said_of_the_classes(tmp_path):
    (tmp_path / 'names.txt').write_text('straße\nsoil\n', encoding='utf-8')
    assert of_classes(str(tmp_path / 'names.txt')).metainfo['classes'] == ('straße', 'soil')
    assert of_classes('a, b').metainfo['classes'] == ('a', 'b')
    assert of_classes('2').metainfo['classes'] == ('0', '1')
    for wrong in ('0', 'a,a', 'a,,', 'nofile.txt'):
        with pytest.raises(ConfigError, match='--classes'):
            of_classes(wrong)


def test_a_misspelt_data_set_is_suggested():
    with pytest.raises(ConfigError, match="camvid.*cityscapes.*did you mean 'cityscapes'"):
        of_dataset('cityscape')


def test_a_file_that_no_table_fits_is_named(tmp_path):
    file = saved(tmp_path, [0, 1, 254])[0]
    for count in ('2', '254', '1000'):
        table = of_classes(count).label_table('class-ids')
        if count == '1000':
            assert meaning(read_ids(file, 'label'), table, file, 'label').tolist() == [[0, 1, 254]]
        else:
            with pytest.raises(DataError, match=r'0\.png.*Got: 254 in 1 pixels'):
                meaning(read_ids(file, 'label'), table, file, 'label')


def test_numbers_are_shown_as_runs():
    assert shown([1, 2, 4, 5, 6, 9]) == '1, 2, 4 to 6, 9'
    assert shown(list(range(0, 40, 2)), 3) == '0, 2, 4, ...'
