"""The parts of the emulated Generative APIs: what `emulator.generative.apis` puts together."""
