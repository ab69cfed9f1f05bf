from setuptools import find_packages, setup

setup(packages=[*find_packages(include=['segplug', 'segplug.*']), 'segplug.configs',
                'segplug.plugin_template'])
