package dev.eden.api.rest;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpFilter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Set;

/**
 * Of the admin port, which needs no token: Dropwizard serves more there, by which whoever reaches it would change what is logged, have garbage collected
 * and see every thread's stack. It is not found.
 */
final class ServedFilter extends HttpFilter {
    private static final long serialVersionUID = 1;

    private final transient Set<String> servlets;

    ServedFilter(Set<String> servlets) {
        this.servlets = Set.copyOf(servlets);
    }

    @Override
    protected void doFilter(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        if (servlets.contains(request.getHttpServletMapping().getServletName())) {
            chain.doFilter(request, response);
        } else {
            response.sendError(HttpServletResponse.SC_NOT_FOUND);
        }
    }
}
