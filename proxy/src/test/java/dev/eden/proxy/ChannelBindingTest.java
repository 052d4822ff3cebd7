package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChannelBindingTest {
    @TempDir
    private Path files;

    private X509Certificate certificate(String... how) throws Exception {
        Path store = files.resolve("one.p12");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "one",
                "-dname",
                "CN=localhost",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                "changeit"));
        command.addAll(List.of(how));
        assertThat(new ProcessBuilder(command).redirectErrorStream(true).start().waitFor())
                .isZero();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, "changeit".toCharArray());
        }
        return (X509Certificate) keys.getCertificate("one");
    }

    @ParameterizedTest
    @CsvSource({
        "EC,256,SHA256withECDSA,SHA-256",
        "EC,384,SHA384withECDSA,SHA-384",
        "EC,256,SHA512withECDSA,SHA-512",
        "RSA,2048,SHA224withRSA,SHA-224",
        "RSA,2048,SHA1withRSA,SHA-256",
        "RSASSA-PSS,2048,RSASSA-PSS,SHA-384",
    })
    void isOfTheHashThatTheCertificateIsSignedBy(String key, String bits, String signature, String hash)
            throws Exception {
        X509Certificate certificate = certificate("-keyalg", key, "-keysize", bits, "-sigalg", signature);
        assertThat(ChannelBinding.of(certificate))
                .isEqualTo(MessageDigest.getInstance(hash).digest(certificate.getEncoded()));
    }

    @Test
    void isNoneWhereTheSignatureHasNoHash() throws Exception {
        assertThat(ChannelBinding.of(certificate("-keyalg", "Ed25519"))).isEmpty();
    }
}
