global using Microsoft.Playwright;
global using NUnit.Framework;
global using SignupGuard.V1;
