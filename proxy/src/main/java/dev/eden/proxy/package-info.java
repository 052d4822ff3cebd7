@NullMarked
package dev.eden.proxy;

import org.jspecify.annotations.NullMarked;
