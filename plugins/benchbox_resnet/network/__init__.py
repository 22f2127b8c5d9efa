"""The network of the codec: its configuration, the layers, the model that is trained, how its parts are initialised,
and the differentiable measures (bits, MS-SSIM) that are minimised over it. It knows neither streams nor training data
files; `coding` runs its parts one by one and `training` fits them. Importing this package imports no torch."""
