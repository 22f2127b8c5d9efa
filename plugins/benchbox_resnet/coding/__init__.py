"""From pixels to the bytes of a stream and back: the weights file, the networks run tile by tile, quantisation, the
integer arithmetic that chooses coding tables, the entropy coder, the container, and the encoder's options (search,
denoising, precision, alpha). Everything that decides which symbols a stream holds is integer arithmetic, the same on
every machine. It builds on `network`; `codec` at the door puts it together. Importing this package imports no torch."""
