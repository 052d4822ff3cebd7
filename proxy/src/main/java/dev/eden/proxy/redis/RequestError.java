package dev.eden.proxy.redis;

/** Ends a client that broke the protocol, after its error is out. */
final class RequestError {
    private RequestError() {}

    static void send(ClientConnection client, String message) {
        client.error(message);
        client.closeAfterOutput();
    }
}
