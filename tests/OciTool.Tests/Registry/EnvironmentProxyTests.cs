using System.Net;
using OciTool.Images;
using OciTool.Registry;
using Xunit;

namespace OciTool.Tests.Registry;

public sealed class EnvironmentProxyTests
{
    [Theory]
    [InlineData("", "https://quay.io/", null)]
    [InlineData("HTTPS_PROXY=http://p.example:3128", "https://quay.io/", "http://p.example:3128/")]
    [InlineData("https_proxy=http://p.example:3128", "https://quay.io/", "http://p.example:3128/")]
    [InlineData("HTTPS_PROXY=http://upper.example https_proxy=http://lower.example", "https://quay.io/", "http://upper.example/")]
    [InlineData("HTTPS_PROXY=http://p.example:3128", "http://quay.io/", null)]
    [InlineData("HTTP_PROXY=http://p.example:3128", "https://quay.io/", null)]
    [InlineData("http_proxy=p.example:3128", "http://quay.io/", "http://p.example:3128/")]
    [InlineData("HTTPS_PROXY=p.example", "https://quay.io/", "http://p.example/")]
    [InlineData("HTTPS_PROXY=https://p.example:8443", "https://quay.io/", "https://p.example:8443/")]
    [InlineData("HTTPS_PROXY=socks5://p.example", "https://quay.io/", "socks5://p.example:1080/")]
    [InlineData("HTTPS_PROXY=socks5h://p.example:9050", "https://quay.io/", "socks5://p.example:9050/")]
    [InlineData("ALL_PROXY=http://p.example:3128", "https://quay.io/", "http://p.example:3128/")]
    [InlineData("all_proxy=http://p.example:3128", "http://quay.io/", "http://p.example:3128/")]
    [InlineData("ALL_PROXY=http://all.example HTTPS_PROXY=http://p.example", "https://quay.io/", "http://p.example/")]
    [InlineData("HTTP_PROXY=http://p.example REQUEST_METHOD=GET", "http://quay.io/", null)]
    [InlineData("HTTPS_PROXY=http://user:secret@p.example:3128", "https://quay.io/", "http://p.example:3128/")]
    public void The_proxy_is_that_of_the_scheme(string environment, string server, string? expected) =>
        Assert.Equal(expected, Proxy(environment).GetProxy(new Uri(server))?.ToString());

    [Theory]
    // hosts stand for themselves and for what is below them
    [InlineData("quay.io", "https://quay.io/", true)]
    [InlineData("quay.io", "https://cdn.quay.io/", true)]
    [InlineData("quay.io", "https://notquay.io/", false)]
    [InlineData("QUAY.io", "https://Quay.IO/", true)]
    [InlineData(" a.example , quay.io ", "https://quay.io/", true)]
    // a leading dot or *. leaves the host itself out
    [InlineData(".quay.io", "https://cdn.quay.io/", true)]
    [InlineData(".quay.io", "https://quay.io/", false)]
    [InlineData("*.quay.io", "https://cdn.quay.io/", true)]
    [InlineData("*.quay.io", "https://quay.io/", false)]
    // a port must be the same
    [InlineData("quay.io:443", "https://quay.io/", true)]
    [InlineData("quay.io:443", "https://cdn.quay.io/", true)]
    [InlineData("quay.io:8443", "https://quay.io/", false)]
    [InlineData(".quay.io:443", "https://cdn.quay.io:8443/", false)]
    // addresses and networks are about servers that are written as addresses
    [InlineData("192.168.1.1", "https://192.168.1.1/", true)]
    [InlineData("192.168.1.1", "https://192.168.1.11/", false)]
    [InlineData("192.168.1.1:8443", "https://192.168.1.1:8443/", true)]
    [InlineData("192.168.1.1:8443", "https://192.168.1.1/", false)]
    [InlineData("192.168.1.0/24", "https://192.168.1.77:8443/", true)]
    [InlineData("192.168.1.5/24", "https://192.168.1.77/", true)]
    [InlineData("192.168.1.0/24", "https://192.168.2.77/", false)]
    [InlineData("192.168.1.0/24", "https://192.168.1.77.example/", false)]
    [InlineData("2001:db8::/32", "https://[2001:db8::1]/", true)]
    [InlineData("2001:db8::1", "https://[2001:db8::1]/", true)]
    [InlineData("[2001:db8::1]:443", "https://[2001:db8::1]/", true)]
    [InlineData("[2001:db8::1]:444", "https://[2001:db8::1]/", false)]
    [InlineData("2001:db8::/32", "https://[2001:db9::1]/", false)]
    // all
    [InlineData("*", "https://quay.io/", true)]
    [InlineData("a.example,*", "https://192.168.1.1/", true)]
    // what is nothing stands for nothing
    [InlineData("", "https://quay.io/", false)]
    [InlineData(",,:80,192.168.1.0/99,/24", "https://quay.io/", false)]
    // this machine needs no entry
    [InlineData("", "https://localhost:5000/", true)]
    [InlineData("", "https://127.0.0.1:5000/", true)]
    [InlineData("", "https://127.1.2.3:5000/", true)]
    [InlineData("", "https://[::1]:5000/", true)]
    public void No_proxy_is_read_as_Go_does(string noProxy, string server, bool isDirect)
    {
        foreach (string name in new[] { "NO_PROXY", "no_proxy" })
        {
            EnvironmentProxy proxy = new(variable => variable switch
            {
                "HTTPS_PROXY" => "http://p.example:3128",
                _ when variable == name => noProxy,
                _ => null,
            });
            Assert.Equal(isDirect, proxy.IsBypassed(new Uri(server)));
            Assert.Equal(isDirect, proxy.GetProxy(new Uri(server)) is null);
        }
    }

    [Fact]
    public void Credentials_are_for_the_proxy_and_not_in_its_address()
    {
        EnvironmentProxy proxy = Proxy("HTTPS_PROXY=http://user:p%40ss:word@p.example:3128");
        Uri address = proxy.GetProxy(new Uri("https://quay.io/"))!;
        Assert.Equal("http://p.example:3128/", address.ToString());
        NetworkCredential credential = proxy.Credentials!.GetCredential(address, "Basic")!;
        Assert.Equal(("user", "p@ss:word"), (credential.UserName, credential.Password));
        Assert.Null(proxy.Credentials.GetCredential(new Uri("http://other.example:3128"), "Basic"));
    }

    [Theory]
    [InlineData("ftp://user:secret@p.example")]
    [InlineData("http://user:secret@")]
    [InlineData("http://user:secret@p.example:notaport")]
    public void A_proxy_that_is_none_is_refused_without_telling_its_password(string text)
    {
        OciException failure = Assert.Throws<OciException>(() => Proxy($"HTTPS_PROXY={text}"));
        Assert.StartsWith("invalid proxy in HTTPS_PROXY: want ", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
    }

    private static EnvironmentProxy Proxy(string environment)
    {
        Dictionary<string, string> variables = environment.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        return new EnvironmentProxy(name => variables.GetValueOrDefault(name));
    }
}
