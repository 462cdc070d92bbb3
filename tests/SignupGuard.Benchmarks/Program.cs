using BenchmarkDotNet.Running;

// dotnet run -c Release --project tests/SignupGuard.Benchmarks -- --filter '*Rule*'
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
