package dev.eden.api.cli;

import dev.eden.api.problem.StartupException;
import dev.eden.api.rest.ListenAddress;
import java.net.InetSocketAddress;

/** {@code HOST:PORT} arguments. */
final class Addresses {
    private Addresses() {}

    static InetSocketAddress listen(String option, String text) {
        if (!ListenAddress.valid(text)) {
            throw new StartupException(
                    option + " " + text + " is not HOST:PORT", "for example " + option + " 0.0.0.0:6379");
        }
        int colon = text.lastIndexOf(':');
        String host = text.substring(0, colon);
        String bare = host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
        InetSocketAddress address = new InetSocketAddress(bare, Integer.parseInt(text.substring(colon + 1)));
        if (address.isUnresolved()) {
            throw new StartupException(
                    "the host of " + option + " " + text + " is unknown", "give an address of this machine");
        }
        return address;
    }
}
