"""From a folder of pictures to a weights file: the training loop and its optimiser, the steps that follow it (settle,
export, polish), starts from other models (grow, retune) and the measures of progress (validation, evaluate). It builds
on `network` and `coding`; the commands of `benchbox resnet` lead here. Importing this package imports no torch."""
