package dev.eden.proxy;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import java.security.Security;
import java.util.List;
import java.util.Map;
import javax.net.ssl.ManagerFactoryParameters;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.TrustManagerFactorySpi;
import org.jspecify.annotations.Nullable;

/**
 * Authorities that this process trusts beside those of the JDK, whatever it connects to. A provider says so and no trust store in a file: the JDK
 * opens such a file again for each new context, and trusts nobody once something has tidied the temporary directory. A file that changes is followed:
 * {@link FollowedAuthorities}.
 */
public final class Authorities {
    private static final String PROVIDER = "EdenAuthorities";

    private Authorities() {}

    /** The message names the file and says what is wrong with it, never what it holds. */
    public static final class UnusableException extends IOException {
        UnusableException(Path file, String why) {
            super(file + " " + why);
        }
    }

    /** That {@link #trust} could take the file. */
    public static void check(Path pem) throws UnusableException {
        FollowedAuthorities.read(pem);
    }

    /**
     * From now on those of the PEM file are trusted wherever nobody names authorities of their own. To be called before the first connection: contexts
     * that are made already know nothing of the file. Those that are made from then on trust what it holds when they connect; by a second call they still go
     * by the file of their own.
     */
    public static void trust(Path pem) throws UnusableException {
        try {
            String algorithm = TrustManagerFactory.getDefaultAlgorithm();
            Provider jdk = provider(algorithm);
            TrustManager followed = new FollowedAuthorities(pem, algorithm, jdk);
            Security.removeProvider(PROVIDER);
            Security.insertProviderAt(new Trust(algorithm, jdk, followed), 1);
            // The JDK's own default context asks other providers with its own store in hand.
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {followed}, null);
            SSLContext.setDefault(context);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the JDK's authorities can't be read", e);
        }
    }

    /** Whose trust managers these are where no file is named. */
    private static Provider provider(String algorithm) throws NoSuchAlgorithmException {
        for (Provider provider : Security.getProviders("TrustManagerFactory." + algorithm)) {
            if (!provider.getName().equals(PROVIDER)) {
                return provider;
            }
        }
        throw new NoSuchAlgorithmException(algorithm);
    }

    private static final class Trust extends Provider {
        private static final long serialVersionUID = 1;

        Trust(String algorithm, Provider of, TrustManager byDefault) {
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
        private final TrustManager byDefault;
        private boolean named;

        Factory(TrustManagerFactory factory, TrustManager byDefault) {
            this.factory = factory;
            this.byDefault = byDefault;
        }

        @Override
        protected void engineInit(@Nullable KeyStore store) throws KeyStoreException {
            named = store != null;
            if (named) {
                factory.init(store);
            }
        }

        @Override
        protected void engineInit(ManagerFactoryParameters parameters) throws InvalidAlgorithmParameterException {
            named = true;
            factory.init(parameters);
        }

        @Override
        protected TrustManager[] engineGetTrustManagers() {
            return named ? factory.getTrustManagers() : new TrustManager[] {byDefault};
        }
    }
}
