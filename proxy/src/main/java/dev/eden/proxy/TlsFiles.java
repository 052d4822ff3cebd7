package dev.eden.proxy;

import java.nio.file.Path;

/** What clients are shown, as PEM files: the chain, the proxy's own certificate first, and its unencrypted PKCS#8 key. */
public record TlsFiles(Path certificateChain, Path privateKey) {}
