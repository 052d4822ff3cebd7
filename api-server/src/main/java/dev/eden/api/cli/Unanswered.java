package dev.eden.api.cli;

import java.io.IOException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateException;
import java.time.Duration;
import javax.net.ssl.SSLException;

/** Why a server has given no answer, in words that say what helps. */
record Unanswered(String url) {
    /** Connected, and no answer: nobody knows what has become of it. */
    CliFailure silent(String method, Duration patience) {
        String message = "the Eden server at " + url + " has not answered for " + patience.toSeconds() + " s";
        return method.equals("GET")
                ? new CliFailure(ExitCode.UNREACHABLE, message, "look at its log and /health, and try again")
                : new CliFailure(
                        ExitCode.UNREACHABLE,
                        message + "; what was asked may have been done",
                        "look (status, list or get) before you repeat it");
    }

    CliFailure broken(IOException e) {
        if (!(e instanceof SSLException)) {
            return away();
        }
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateException || cause instanceof CertPathBuilderException) {
                return new CliFailure(
                        ExitCode.UNREACHABLE,
                        "the certificate of the server at " + url + " is not trusted here: " + cause.getMessage(),
                        "name its authority (--tls-ca-file, EDEN_TLS_CA_FILE, or of a context), and the host as the certificate has it");
            }
        }
        return new CliFailure(
                ExitCode.UNREACHABLE,
                "there is no TLS with the server at " + url + ": " + e.getMessage(),
                "check the port, and whether its URL begins with http:// or https://");
    }

    CliFailure away() {
        return new CliFailure(
                ExitCode.UNREACHABLE,
                "no Eden server answers at " + url,
                "start one (eden server; to try things out: eden dev), or name another: --context, --url, EDEN_URL");
    }
}
