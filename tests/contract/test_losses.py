"""What every registered loss keeps. A loss without a row in CASES fails."""

from contracts import every, registered

from segplug.contract.losses import CHECKS, LossCase

CASES = {
    'CrossEntropyLoss': [
        dict(), dict(avg_non_ignore=True), dict(class_weight=[1.0, 0.5, 2.0]),
        dict(class_weight=[1.0, 0.5, 2.0], avg_non_ignore=True), dict(use_sigmoid=True),
        dict(use_sigmoid=True, avg_non_ignore=True),
        dict(use_sigmoid=True, class_weight=[1.0, 0.5, 2.0]), dict(use_sigmoid=True, channels=1)],
    'BoundaryLoss': [dict(channels=1), dict(channels=1, avg_non_ignore=True)],
    'DiceLoss': [dict(), dict(use_sigmoid=False), dict(naive_dice=True, channels=1),
                 dict(use_sigmoid=False, naive_dice=True, eps=0.0), dict(ignore_index=2)],
    'FocalLoss': [dict(), dict(avg_non_ignore=True), dict(channels=1), dict(gamma=0.5),
                  dict(alpha=[0.25, 0.5, 0.75], class_weight=[1.0, 0.5, 2.0])],
    'HuasdorffDisstanceLoss': [dict(), dict(avg_non_ignore=True),
                               dict(class_weight=[1.0, 0.5, 2.0])],
    'KLDivLoss': [dict(), dict(temperature=2.0), dict(avg_non_ignore=True)],
    'LovaszLoss': [dict(), dict(classes='all'), dict(classes=[1, 2], per_image=True),
                   dict(class_weight=[1.0, 0.5, 2.0]), dict(loss_type='binary', channels=1),
                   dict(loss_type='binary', channels=1, per_image=True)],
    'OhemCrossEntropy': [dict(thres=0.3, min_kept=8), dict(class_weight=[1.0, 0.5, 2.0])],
    'TverskyLoss': [dict(), dict(smooth=0.0), dict(class_weight=[1.0, 0.5, 2.0]),
                    dict(channels=1), dict(ignore_index=2)],
}
ROWS = [LossCase({'type': name, **{k: v for k, v in row.items() if k != 'channels'}},
                 channels=row.get('channels', 3), strict=True)
        for name, rows in CASES.items() for row in rows]


def test_every_loss_has_a_row():
    assert registered('losses') == set(CASES)


@every(ROWS, CHECKS)
def test_it_keeps_its_contract(case, check):
    check(case)
