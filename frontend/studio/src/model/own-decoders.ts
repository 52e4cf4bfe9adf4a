/** Read by `<model-viewer>` when its first element is made: it would ask strangers for decoders. */
const here = `${location.origin}/`;
Object.assign(globalThis, {
  ModelViewerElement: {
    dracoDecoderLocation: here,
    ktx2TranscoderLocation: here,
    lottieLoaderLocation: here,
  },
});

export {};
