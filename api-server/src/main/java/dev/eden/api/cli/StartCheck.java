package dev.eden.api.cli;

import dev.eden.api.DatabaseUrl;
import dev.eden.api.ProxySettings;
import dev.eden.api.config.Configuration;
import dev.eden.api.config.Setting;
import dev.eden.api.problem.StartupException;
import dev.eden.api.rest.ApiTls;
import dev.eden.api.store.EncryptionKey;
import dev.eden.proxy.Secret;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a process would refuse at its start and no single value shows: files that can't be read, keys that are none, hosts that are not
 * this machine's. All at once, each with the place where it was said. Nothing is started, made or connected to; a host is tried on a
 * free port for a moment.
 */
final class StartCheck {
    private final Configuration configuration;
    private final List<String> faults = new ArrayList<>();

    private StartCheck(Configuration configuration) {
        this.configuration = configuration;
    }

    /** Throws {@link StartupException} with every fault. */
    static void require(Configuration configuration, Setting.Verb verb) {
        StartCheck check = new StartCheck(configuration);
        check.store(verb);
        check.attempt(Setting.TLS_CA, () -> SettingOptions.checkAuthorities(configuration));
        switch (verb) {
            case SERVER -> check.server();
            case PROXY -> check.proxy();
            case STORE -> {}
        }
        configuration.refuse(check.faults);
    }

    private void store(Setting.Verb verb) {
        attempt(
                Setting.DATABASE_URL,
                () -> DatabaseUrl.parse(
                        SettingOptions.databaseUrl(configuration), configuration.text(Setting.DATABASE_USER), null));
        attempt(Setting.DATABASE_PASSWORD, () -> configuration.secret(Setting.DATABASE_PASSWORD));
        Setting ofKey =
                configuration.origin(Setting.ENCRYPTION_KEY) == null ? Setting.DATA_DIR : Setting.ENCRYPTION_KEY;
        attempt(ofKey, () -> {
            Secret given = SettingOptions.secret(configuration, Setting.ENCRYPTION_KEY);
            EncryptionKey.check(
                    given == null ? null : given.reveal(),
                    SettingOptions.dataDirectory(configuration),
                    verb == Setting.Verb.SERVER);
        });
    }

    private void server() {
        attempt(Setting.ADMIN_TOKEN, () -> ServerCommand.adminToken(configuration));
        attempt(Setting.TEMPORAL_DEPLOYMENT, () -> ServerCommand.orchestration(configuration));
        host(Setting.API_HOST);
        host(Setting.ADMIN_HOST);
        boolean inside = !configuration.isTrue(Setting.SERVER_NO_PROXY);
        listen(Setting.SERVER_LISTEN, inside);
        listen(Setting.SERVER_LISTEN_POSTGRES, inside);
        configuration.receiverNames().forEach(this::receiver);
        proxies(inside
                && (configuration.text(Setting.SERVER_LISTEN) != null
                        || configuration.text(Setting.SERVER_LISTEN_POSTGRES) != null));
        Path key = SettingOptions.path(configuration, Setting.API_KEY);
        try {
            ApiTls tls = ServerCommand.tls(configuration);
            if (tls != null) {
                tls.check();
            }
        } catch (StartupException e) {
            boolean ofKey = configuration.text(Setting.API_CERT) == null
                    || (key != null && String.valueOf(e.getMessage()).contains(key.toString()));
            fault(ofKey ? Setting.API_KEY : Setting.API_CERT, e);
        }
    }

    /** Its place is in the message already: that of the file's name in the configuration. */
    private void receiver(String name) {
        try {
            configuration.receiver(name);
        } catch (StartupException e) {
            faults.add(e.getMessage() + "; " + e.remedy());
        }
    }

    private void proxy() {
        attempt(Setting.PROXY_NAME, () -> ProxyCommand.name(configuration));
        host(Setting.METRICS_HOST);
        listen(Setting.PROXY_LISTEN, true);
        proxies(true);
    }

    /** {@code here} false: the files need not be on this machine, proxies elsewhere read them. */
    private void proxies(boolean here) {
        ProxySettings settings;
        try {
            settings = SettingOptions.proxies(configuration);
        } catch (StartupException e) {
            fault(
                    configuration.text(Setting.PROXY_TLS_CERT) == null ? Setting.PROXY_TLS_KEY : Setting.PROXY_TLS_CERT,
                    e);
            return;
        }
        if (here) {
            Path key = SettingOptions.path(configuration, Setting.PROXY_TLS_KEY);
            try {
                settings.checkCertificate();
            } catch (StartupException e) {
                boolean ofKey = key != null && String.valueOf(e.getMessage()).contains(key.toString());
                fault(ofKey ? Setting.PROXY_TLS_KEY : Setting.PROXY_TLS_CERT, e);
            }
        }
    }

    private void host(Setting setting) {
        attempt(setting, () -> bind(setting, new InetSocketAddress(configuration.required(setting), 0)));
    }

    private void listen(Setting setting, boolean here) {
        String text = configuration.text(setting);
        if (text == null) {
            return;
        }
        attempt(setting, () -> {
            InetSocketAddress address = Addresses.listen(String.valueOf(setting.flag()), text);
            if (here) {
                bind(setting, new InetSocketAddress(address.getAddress(), 0));
            }
        });
    }

    private static void bind(Setting setting, InetSocketAddress address) {
        if (address.isUnresolved()) {
            throw new StartupException(
                    setting.key() + ": the host " + address.getHostString() + " is unknown",
                    "give an address of this machine");
        }
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(address);
        } catch (IOException e) {
            throw new StartupException(
                    setting.key() + ": " + address.getHostString() + " is no address of this machine to listen at",
                    "give one, or 0.0.0.0 for all");
        }
    }

    private void attempt(Setting setting, Runnable look) {
        try {
            look.run();
        } catch (StartupException e) {
            fault(setting, e);
        }
    }

    private void fault(Setting setting, StartupException fault) {
        String place = configuration.origin(setting);
        String message = String.valueOf(fault.getMessage());
        boolean placed = place == null || place.equals("default") || message.startsWith(place + ":");
        faults.add((placed ? "" : place + ": ") + message + "; " + fault.remedy());
    }
}
