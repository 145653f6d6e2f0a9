"""The parts of the emulated Generative APIs: what `emulator.generative_apis` puts together."""
