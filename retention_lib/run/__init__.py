"""From chapters to reports: kernels, one chapter, one client, many clients."""
