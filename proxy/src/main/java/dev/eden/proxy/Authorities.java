package dev.eden.proxy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import java.security.Security;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import javax.net.ssl.ManagerFactoryParameters;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.TrustManagerFactorySpi;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Authorities that this process trusts beside those of the JDK, whatever it connects to. A provider says so and no trust store in a file: the JDK
 * opens such a file again for each new context, and trusts nobody once something has tidied the temporary directory.
 */
public final class Authorities {
    private static final String PROVIDER = "EdenAuthorities";

    private Authorities() {}

    /** The message names the file and says what is wrong with it, never what it holds. */
    public static final class UnusableException extends IOException {
        private UnusableException(Path file, String why) {
            super(file + " " + why);
        }
    }

    /** That {@link #trust} could take the file. */
    public static void check(Path pem) throws UnusableException {
        read(pem);
    }

    /**
     * From now on those of the PEM file are trusted wherever nobody names authorities of their own. To be called before the first connection: contexts
     * that are made already stay as they are. What an earlier call named is trusted no more.
     */
    public static void trust(Path pem) throws UnusableException {
        Collection<? extends Certificate> more = read(pem);
        Security.removeProvider(PROVIDER);
        try {
            String algorithm = TrustManagerFactory.getDefaultAlgorithm();
            TrustManagerFactory known = TrustManagerFactory.getInstance(algorithm);
            List<Certificate> all = new ArrayList<>(more);
            @Nullable KeyStore byDefault = null;
            known.init(byDefault);
            for (TrustManager manager : known.getTrustManagers()) {
                if (manager instanceof X509TrustManager roots) {
                    all.addAll(List.of(roots.getAcceptedIssuers()));
                }
            }
            Security.insertProviderAt(new Trust(algorithm, known.getProvider(), store(all)), 1);
            TrustManagerFactory merged = TrustManagerFactory.getInstance(algorithm);
            merged.init(byDefault);
            // The JDK's own default context asks other providers with its own store in hand.
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, merged.getTrustManagers(), null);
            SSLContext.setDefault(context);
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("the JDK's authorities can't be read", e);
        }
    }

    private static Collection<? extends Certificate> read(Path pem) throws UnusableException {
        try (InputStream in = Files.newInputStream(pem)) {
            Collection<? extends Certificate> found =
                    CertificateFactory.getInstance("X.509").generateCertificates(in);
            if (found.isEmpty()) {
                throw new UnusableException(pem, "holds no certificate");
            }
            return found;
        } catch (UnusableException e) {
            throw e;
        } catch (IOException e) {
            throw new UnusableException(pem, "can't be read");
        } catch (CertificateException e) {
            throw new UnusableException(pem, "can't be read as PEM");
        }
    }

    private static KeyStore store(List<Certificate> all) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (int i = 0; i < all.size(); i++) {
            store.setCertificateEntry("authority-" + i, all.get(i));
        }
        return store;
    }

    private static final class Trust extends Provider {
        private static final long serialVersionUID = 1;

        Trust(String algorithm, Provider of, KeyStore byDefault) {
            super(PROVIDER, "1", "The JDK's authorities and those of a file");
            putService(
                    new Service(this, "TrustManagerFactory", algorithm, Factory.class.getName(), List.of(), Map.of()) {
                        @Override
                        public Object newInstance(@Nullable Object parameter) throws NoSuchAlgorithmException {
                            return new Factory(TrustManagerFactory.getInstance(algorithm, of), byDefault);
                        }
                    });
        }
    }

    /** That of the JDK, with another default. */
    private static final class Factory extends TrustManagerFactorySpi {
        private final TrustManagerFactory factory;
        private final KeyStore byDefault;

        Factory(TrustManagerFactory factory, KeyStore byDefault) {
            this.factory = factory;
            this.byDefault = byDefault;
        }

        @Override
        protected void engineInit(@Nullable KeyStore store) throws KeyStoreException {
            factory.init(store == null ? byDefault : store);
        }

        @Override
        protected void engineInit(ManagerFactoryParameters parameters) throws InvalidAlgorithmParameterException {
            factory.init(parameters);
        }

        @Override
        protected TrustManager[] engineGetTrustManagers() {
            return factory.getTrustManagers();
        }
    }
}
