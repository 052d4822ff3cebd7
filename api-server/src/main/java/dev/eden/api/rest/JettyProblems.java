package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/** What Jetty refuses before a resource sees it (bad request lines, ambiguous paths, oversized headers), as problem documents too. */
final class JettyProblems extends ErrorHandler {
    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        int status = response.getStatus();
        Problem problem = switch (status) {
            case 404 -> new Problem(ErrorCode.PATH_NOT_FOUND, "nothing is at this path");
            case 405 -> new Problem(ErrorCode.METHOD_NOT_ALLOWED, "the path does not know this method");
            case 414 -> new Problem(ErrorCode.URI_TOO_LONG, "the request line is too long");
            case 431 -> new Problem(ErrorCode.HEADERS_TOO_LARGE, "the headers are too large");
            case 413 -> new Problem(ErrorCode.BODY_TOO_LARGE, "the body is too large");
            default ->
                status < 500
                        ? new Problem(ErrorCode.BAD_REQUEST, "the request can't be understood")
                        : new Problem(ErrorCode.INTERNAL, "the request failed");
        };
        var document = ProblemDocument.of(problem);
        document.put("status", status);
        HeadersFilter.HEADERS.forEach(response.getHeaders()::put);
        if (status != 404 && status != 405) {
            // Jetty closes the connection after these: a client that is not told would lose its next request on it.
            response.getHeaders().put(HttpHeader.CONNECTION, "close");
        }
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, ProblemDocument.MEDIA_TYPE);
        Content.Sink.write(response, true, document.toString(), callback);
        return true;
    }
}
