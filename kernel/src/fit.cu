// Compiled when the first CUDA fit starts. One thread per value; z and its like have rows of `points` values.

extern "C" __global__ void activate(
    unsigned int count, unsigned int points, const float *z, const float *bias, float omega, int sine, float *out)
{
    unsigned int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    float sum = z[at] + bias[at / points];
    out[at] = sine ? sinf(omega * sum) : fmaxf(sum, 0.0f);
}

// The gradient with respect to z + bias, from the one that arrives at the activation.
extern "C" __global__ void activate_gradient(
    unsigned int count, unsigned int points, const float *z, const float *bias, const float *arriving, float omega,
    int sine, float *out)
{
    unsigned int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    float sum = z[at] + bias[at / points];
    out[at] = sine ? omega * cosf(omega * sum) * arriving[at] : sum > 0.0f ? arriving[at] : 0.0f;
}

// State: the point, the first and the second moment, `count` values each.
extern "C" __global__ void schedule_free(
    unsigned int count, float *state, const float *gradient, float rate, float correction, float share, float beta1,
    float beta2, float epsilon)
{
    unsigned int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    float y = state[at], z = state[count + at], g = gradient[at];
    float v = beta2 * state[2 * count + at] + (1.0f - beta2) * g * g;
    float x = (y - (1.0f - beta1) * z) / beta1;
    z -= rate * g / (sqrtf(v * correction) + epsilon);
    x = (1.0f - share) * x + share * z;
    state[at] = (1.0f - beta1) * z + beta1 * x;
    state[count + at] = z;
    state[2 * count + at] = v;
}

extern "C" __global__ void adam(
    unsigned int count, float *state, const float *gradient, float rate, float first_correction,
    float second_correction, float beta1, float beta2, float epsilon)
{
    unsigned int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= count) return;
    float g = gradient[at];
    float m = beta1 * state[count + at] + (1.0f - beta1) * g;
    float v = beta2 * state[2 * count + at] + (1.0f - beta2) * g * g;
    state[at] -= rate * m * first_correction / (sqrtf(v * second_correction) + epsilon);
    state[count + at] = m;
    state[2 * count + at] = v;
}
