package dev.eden.proxy;

/** The store could not be read or written; says nothing about what the row is. */
public class RouteStoreException extends RuntimeException {
    public RouteStoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
