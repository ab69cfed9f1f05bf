"""torchvision's and timm's networks at small width, written out under their names for weights.

Layouts: https://github.com/pytorch/vision and https://github.com/huggingface/pytorch-image-models.
"""

import torch
from torch import nn
from torch.nn import functional as F


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    """Equal to the rounding of a network in float32."""
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5 * expected.abs().max().item())


def shaken(net: nn.Module) -> nn.Module:
    """In eval mode, no norm an identity."""
    torch.manual_seed(0)
    for name, value in net.state_dict().items():
        if name.endswith('running_var'):
            value.uniform_(0.5, 1.5)
        elif value.ndim == 1:
            value.normal_(1.0 if name.endswith('weight') else 0.0, 0.2)
    return net.eval()


def conv_bn(cin: int, cout: int, kernel: int, act: type[nn.Module] | None, bias: bool = False,
            **options) -> nn.Sequential:
    layers = [nn.Conv2d(cin, cout, kernel, bias=bias, **options), nn.BatchNorm2d(cout)]
    return nn.Sequential(*layers, *([act()] if act else []))


# --- ResNet -------------------------------------------------------------------------------


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, cin, planes, stride, dilation, downsample):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, 4 * planes, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * planes)
        self.downsample = downsample

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(out)))))
        return F.relu(out + (self.downsample(x) if self.downsample else x))


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, cin, planes, stride, dilation, downsample):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(out + (self.downsample(x) if self.downsample else x))


class ResNet(nn.Module):
    """``deep``: timm's kind D, three convolutions first and averages in the shortcuts."""

    def __init__(self, block=Bottleneck, blocks=(3, 4, 6, 3), width=8, dilate=True, deep=False):
        super().__init__()
        self.deep = deep
        if deep:
            self.conv1 = nn.Sequential(
                *conv_bn(3, width // 2, 3, nn.ReLU, stride=2, padding=1),
                *conv_bn(width // 2, width // 2, 3, nn.ReLU, padding=1),
                nn.Conv2d(width // 2, width, 3, 1, 1, bias=False))
        else:
            self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        cin, dilation = width, 1
        for i, count in enumerate(blocks):
            planes, stride, before = width * 2**i, 1 if i == 0 else 2, dilation
            if dilate and i > 1:
                stride, dilation = 1, 2 * dilation
            cout, layers = planes * block.expansion, []
            for j in range(count):
                shortcut = self._shortcut(cin, cout, stride) if j == 0 and (
                    stride > 1 or cin != cout) else None
                layers.append(block(cin, planes, 1 if j else stride, dilation if j else before,
                                    shortcut))
                cin = cout
            self.add_module(f'layer{i + 1}', nn.Sequential(*layers))

    def _shortcut(self, cin, cout, stride):
        if not self.deep:
            return conv_bn(cin, cout, 1, None, stride=stride)
        pool = nn.Identity() if stride == 1 else nn.AvgPool2d(
            2, stride, ceil_mode=True, count_include_pad=False)
        return nn.Sequential(pool, *conv_bn(cin, cout, 1, None))

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        levels = []
        for i in range(1, 5):
            x = getattr(self, f'layer{i}')(x)
            levels.append(x)
        return levels


class FCN(nn.Module):
    def __init__(self, classes=5, width=8):
        super().__init__()
        self.backbone = ResNet(width=width)

        def head(cin):
            return nn.Sequential(*conv_bn(cin, cin // 4, 3, nn.ReLU, padding=1), nn.Dropout(0.1),
                                 nn.Conv2d(cin // 4, classes, 1))

        self.classifier, self.aux_classifier = head(32 * width), head(16 * width)

    def forward(self, x):
        levels = self.backbone(x)
        return [F.interpolate(head(level), x.shape[2:], mode='bilinear', align_corners=False)
                for head, level in ((self.classifier, levels[3]), (self.aux_classifier, levels[2]))]


# --- MobileNet ------------------------------------------------------------------------------


def divisible(value: float) -> int:
    rounded = max(8, int(value + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * value else rounded


class InvertedResidual(nn.Module):
    def __init__(self, cin, cout, stride, expand):
        super().__init__()
        mid = round(cin * expand)
        first = [conv_bn(cin, mid, 1, nn.ReLU6)] if expand != 1 else []
        self.conv = nn.Sequential(
            *first, conv_bn(mid, mid, 3, nn.ReLU6, stride=stride, padding=1, groups=mid),
            nn.Conv2d(mid, cout, 1, bias=False), nn.BatchNorm2d(cout))
        self.adds = stride == 1 and cin == cout

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(nn.Module):
    TABLE = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
             (6, 160, 3, 2), (6, 320, 1, 1))

    def __init__(self, width=0.25):
        super().__init__()
        cin = divisible(32 * width)
        layers = [conv_bn(3, cin, 3, nn.ReLU6, stride=2, padding=1)]
        for expand, channels, count, stride in self.TABLE:
            for j in range(count):
                cout = divisible(channels * width)
                layers.append(InvertedResidual(cin, cout, 1 if j else stride, expand))
                cin = cout
        layers.append(conv_bn(cin, 40, 1, nn.ReLU6))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(40, 3))

    def forward(self, x):
        return self.features[:-1](x)


class Squeeze(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, divisible(channels // 4), 1)
        self.fc2 = nn.Conv2d(divisible(channels // 4), channels, 1)

    def forward(self, x):
        return x * F.hardsigmoid(self.fc2(F.relu(self.fc1(x.mean((2, 3), keepdim=True)))))


class PadFar(nn.Conv2d):
    """Stride 2 on an even size, padded as here and not as in torchvision: at the far end first."""

    def forward(self, x):
        short = self.kernel_size[0] - 2
        return super().forward(F.pad(x, (short // 2, short - short // 2) * 2))


class V3Block(nn.Module):
    def __init__(self, cin, mid, cout, kernel, squeezes, act, stride, dilation):
        super().__init__()
        layers = [conv_bn(cin, mid, 1, act)] if mid != cin else []
        depthwise = conv_bn(mid, mid, kernel, act, padding=kernel // 2 * dilation, groups=mid,
                            dilation=dilation)
        if stride == 2:
            depthwise[0] = PadFar(mid, mid, kernel, 2, groups=mid, bias=False)
        layers += [depthwise, *([Squeeze(mid)] if squeezes else []), conv_bn(mid, cout, 1, None)]
        self.block = nn.Sequential(*layers)
        self.adds = stride == 1 and cin == cout

    def forward(self, x):
        return x + self.block(x) if self.adds else self.block(x)


class MobileNetV3Small(nn.Module):
    """With the strides and dilations of an output stride of 8."""

    R, H = nn.ReLU, nn.Hardswish
    TABLE = ((3, 16, 16, True, R, 2, 1), (3, 72, 24, False, R, 2, 1), (3, 88, 24, False, R, 1, 1),
             (5, 96, 40, True, H, 1, 2), (5, 240, 40, True, H, 1, 2), (5, 240, 40, True, H, 1, 2),
             (5, 120, 48, True, H, 1, 2), (5, 144, 48, True, H, 1, 2), (5, 288, 96, True, H, 1, 4),
             (5, 576, 96, True, H, 1, 4), (5, 576, 96, True, H, 1, 4))

    def __init__(self):
        super().__init__()
        stem, cin = conv_bn(3, 16, 3, nn.Hardswish), 16
        stem[0] = PadFar(3, 16, 3, 2, bias=False)
        layers = [stem]
        for kernel, mid, cout, squeezes, act, stride, dilation in self.TABLE:
            layers.append(V3Block(cin, mid, cout, kernel, squeezes, act, stride, dilation))
            cin = cout
        self.features = nn.Sequential(*layers, conv_bn(cin, 576, 1, nn.Hardswish))

    def forward(self, x):
        return self.features(x)
