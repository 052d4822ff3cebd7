@NullMarked
package dev.eden.workflows;

import org.jspecify.annotations.NullMarked;
