"""Make the fixtures pipelines.json.gz and configs.json.gz again, from mmsegmentation's configs.

    python tests/zoo/make_config_fixtures.py --configs mmsegmentation/configs

The first holds each distinct pipeline of the published convolutional configs (models.json.gz lists
them) with how many of them have it; the second, a few of the configs whole, bases resolved. Of
mmengine it takes the reader of configs, of segplug nothing; tests never import it.
"""

import argparse
import json
from pathlib import Path

import observe
from mmengine.config import Config

# One a data set, so that between them they read every layout that the published configs have.
WHOLE = (
    'bisenetv1/bisenetv1_r18-d32_4xb4-160k_coco-stuff164k-512x512.py',
    'bisenetv2/bisenetv2_fcn_4xb4-ohem-160k_cityscapes-1024x1024.py',
    'danet/danet_r50-d8_4xb4-20k_voc12aug-512x512.py',
    'deeplabv3/deeplabv3_r50-d8_4xb4-40k_pascal-context-59-480x480.py',
    'hrnet/fcn_hr18s_4xb4-80k_loveda-512x512.py',
    'pidnet/pidnet-s_2xb6-120k_1024x1024-cityscapes.py',
    'pspnet/pspnet_r18-d8_4xb4-80k_isaid-896x896.py',
    'unet/unet-s5-d16_fcn_4xb4-ce-1.0-dice-3.0-40k_chase-db1-128x128.py',
    'upernet/upernet_r18_4xb4-80k_ade20k-512x512.py')


def pipelines(cfg: Config):
    """('train', its pipeline) ... of a config, those of joined data sets once."""
    for split in ('train', 'val', 'test'):
        node = cfg[f'{split}_dataloader'].dataset.to_dict()
        while 'pipeline' not in node:
            node = node['dataset'] if 'dataset' in node else node['datasets'][0]
        yield split, node['pipeline']
    if cfg.get('tta_pipeline'):
        yield 'tta', cfg.to_dict()['tta_pipeline']


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--configs', type=Path, required=True)
    parser.add_argument('--out', type=Path, default=observe.FIXTURES)
    args = parser.parse_args()
    found = {}
    for config in sorted(name for entry in observe.read('models') for name in entry['configs']):
        for split, pipeline in pipelines(Config.fromfile(args.configs / config)):
            text = json.dumps([split, observe.pack(pipeline)], sort_keys=True)
            found.setdefault(text, dict(split=split, pipeline=pipeline, config=config, count=0))
            found[text]['count'] += 1
    observe.write('pipelines', list(found.values()), args.out)
    observe.write('configs', {name: Config.fromfile(args.configs / name).to_dict()
                              for name in WHOLE}, args.out)


if __name__ == '__main__':
    main()
